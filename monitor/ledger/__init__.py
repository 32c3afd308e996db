"""What the daemon believes and what happened, in the journal: states, signals, incidents, when we were looking."""

from monitor.ledger.ledger import Boot, Ledger
from monitor.ledger.schema import MIGRATIONS, SCHEMAS
from monitor.ledger.windows import Windows

__all__ = ["MIGRATIONS", "SCHEMAS", "Boot", "Ledger", "Windows"]
