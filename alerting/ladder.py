"""Who is next if nobody answers; what people answered, and how that moves the ladders."""

from datetime import datetime

from alerting.journal import Transaction
from alerting.model import Response


async def respond(tx: Transaction, response: Response, now: datetime) -> str:
    """Record an authenticated answer, append-only, and move the ladder of its agency; return the key of what to say.

    Keys: "acked" | "acked before" | "acked over" (the incident has ended) | "done" | "done before" | "waiting" |
    "proposed" | "resolved" | "next" | "repeat" | "help" (these three change nothing) | "unknown" (no such incident).
    """
    raise NotImplementedError
