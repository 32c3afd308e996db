"""The log: one line for each record in either form, and its level changed at run time."""

import json
import logging
from collections.abc import Iterator

import pytest

from monitor.logs import OURS, Json, Line, commands
from monitor.web.control import Refused


def record(message: str, *args: object, error: bool = False) -> logging.LogRecord:
    bug = ValueError("a bug")
    found = (ValueError, bug, None) if error else None
    return logging.LogRecord("lambi.app", logging.WARNING, __file__, 1, message, args, found)


def test_each_record_is_one_line_of_key_value() -> None:
    line = Line().format(record("router said=%r", "x\nlevel=ERROR faked"))
    assert "level=WARNING logger=lambi.app router said=" in line
    assert "\n" not in line


def test_each_record_is_one_line_of_json_with_its_traceback() -> None:
    line = Json().format(record("router said=%r \x1b[2J\n", "x", error=True))
    fact = json.loads(line)
    assert "\n" not in line
    assert line.isascii()
    assert "\x1b" not in line
    assert fact["time"].endswith("Z")
    assert (fact["level"], fact["logger"]) == ("WARNING", "lambi.app")
    assert fact["traceback"].endswith("ValueError: a bug")
    assert "traceback" not in json.loads(Json().format(record("fine")))


@pytest.fixture
def levels() -> Iterator[None]:
    yield
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("levels")
async def test_the_level_changes_at_run_time_for_our_own_loggers_alone() -> None:
    level = commands()["log-level"]
    assert await level({"level": "debug", "peer": "root"}) == {"level": "debug"}
    assert logging.getLogger("lambi.pipeline").isEnabledFor(logging.DEBUG)
    assert logging.getLogger("monitor.web.control").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("aiosmtplib").isEnabledFor(logging.DEBUG)
    assert await level({"level": None, "peer": "root"}) == {"level": "debug"}
    assert await level({"level": "error", "peer": "root"}) == {"level": "error"}
    assert not logging.getLogger("probes.dns").isEnabledFor(logging.WARNING)
    with pytest.raises(Refused, match="one of debug, info, warning, error"):
        await level({"level": "loud", "peer": "root"})
