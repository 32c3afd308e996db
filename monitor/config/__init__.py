"""Files -> Settings: every problem at once, with file, line, path and what was expected."""

from monitor.config.editor import schema
from monitor.config.loader import OVERLAY, check, examine, load
from monitor.config.problems import ConfigError, Problem, Where
from monitor.config.settings import Door, Settings

__all__ = ["OVERLAY", "ConfigError", "Door", "Problem", "Settings", "Where", "check", "examine", "load", "schema"]
