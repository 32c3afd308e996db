"""What is kept of a person goes when it must: texts that were sent, answers that came. Addresses to write to stand in
the operator's files alone."""

from alerting.journal import Transaction

EMPTIED = {
    "text": "attempt IN (SELECT a.id FROM attempt a JOIN notification n ON n.id = a.notification WHERE n.contact = ?)",
    "heard": "contact = ?",
    "proof": "contact = ?",
}
"""Every table that holds a person's words or address -> which rows are one contact's. What is not here holds the
contact's name in the config alone, which says nothing once the config no longer has it."""


async def forget(tx: Transaction, contact: str) -> dict[str, int]:
    """Empty what is kept of a contact; return how many rows went, by table."""
    gone = {}
    for table, where in EMPTIED.items():
        gone[table] = len(await tx.execute(f"DELETE FROM {table} WHERE {where} RETURNING 1", (contact,)))  # noqa: S608 - constants
    return gone
