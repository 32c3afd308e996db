"""A scripted world in simulated time, through the belief that the daemon holds: no clock, no journal, no sockets."""

from monitor.replay.engine import OK, REFUSED, SILENT, Record, Replay, Script

__all__ = ["OK", "REFUSED", "SILENT", "Record", "Replay", "Script"]
