"""What most tests of alerting begin with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alerting.journal import Journal
from tests.alerting.fakes import open_journal


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await open_journal(tmp_path)
    yield journal
    await journal.close()
