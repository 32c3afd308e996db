"""One archipelago for each module that asks for it; every test that uses it finds and leaves it whole."""

from collections.abc import Iterator

import pytest

from tests.lab.archipelago import Archipelago
from tests.lab.daemons import lab_missing


@pytest.fixture(scope="module")
def archipelago() -> Iterator[Archipelago]:
    if missing := lab_missing():
        pytest.skip(missing)
    with Archipelago() as lab:
        yield lab


@pytest.fixture
def lab(archipelago: Archipelago) -> Iterator[Archipelago]:
    yield archipelago
    archipelago.heal_all()
    archipelago.settle()
