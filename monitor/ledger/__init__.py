"""What the daemon believes and what happened, in the journal: states, signals, incidents, when we were looking."""

from monitor.ledger.ledger import Boot, Ledger
from monitor.ledger.schema import MIGRATIONS
from monitor.ledger.windows import Windows

__all__ = ["MIGRATIONS", "Boot", "Ledger", "Windows"]
