"""The log on stderr: a line for each record, as key=value or as JSON, and how much of it, changed at run time."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from monitor.plain import one_line
from monitor.web.control import Command, Refused

OURS = ("lambi", "monitor", "probes", "alerting")
"""Loggers that a level is for: what libraries say at DEBUG may hold addresses and secrets."""
LEVELS = ("debug", "info", "warning", "error")


class Form(StrEnum):
    """How records are written."""

    TEXT = "text"
    JSON = "json"


class Line(logging.Formatter):
    """One record, one line of key=value; only a traceback of our own has more."""

    def __init__(self) -> None:
        super().__init__("time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Format the head of a record."""
        record.message = one_line(record.message)
        return super().formatMessage(record)


class Json(logging.Formatter):
    """One record, one line of JSON in ASCII, a traceback too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fact = {"time": at, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fact["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fact)


def begin(form: Form) -> None:
    """Write the log to stderr in this form, from INFO on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Json() if form is Form.JSON else Line())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it would log every tick


def commands() -> Mapping[str, Command]:
    """Return what the control door understands."""
    return {"log-level": _level}


async def _level(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Change the level, if one is asked for, and say which one holds."""
    if (wish := asked.get("level")) is not None:
        if wish not in LEVELS:
            raise Refused(f"a level is one of {', '.join(LEVELS)}")
        for name in OURS:
            logging.getLogger(name).setLevel(str(wish).upper())
        logging.getLogger("lambi.log").warning("log level=%s by=%r", wish, asked["peer"])
    return {"level": logging.getLevelName(logging.getLogger(OURS[0]).getEffectiveLevel()).lower()}
