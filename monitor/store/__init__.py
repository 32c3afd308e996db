"""The series: every look's outcome and values, one SQLite file a day."""

from monitor.store.rows import Row, Stats
from monitor.store.series import SeriesStore

__all__ = ["Row", "SeriesStore", "Stats"]
