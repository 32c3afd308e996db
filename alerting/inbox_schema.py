"""The tables of what comes back: receipts, codes, links, answers. Appended to alerting's migrations.

`heard` and `proof` hold what persons wrote or read, and can be emptied; the others hold contact slugs only.
"""

from alerting.journal import Migration

RECEIPT = """CREATE TABLE receipt (
    id INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    at INTEGER NOT NULL,
    fate TEXT NOT NULL CHECK (fate IN ('buffered', 'delivered', 'failed')),
    detail TEXT NOT NULL,
    UNIQUE (attempt, fate)
) STRICT"""
"""What the network said later of one attempt, each word once, in the order in which it came."""

TURN = """CREATE TABLE turn (
    notification INTEGER PRIMARY KEY REFERENCES notification (id),
    root INTEGER NOT NULL REFERENCES notification (id),
    due_at INTEGER NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (why = ''))
) STRICT"""
"""When a message to a contact who is reached by one channel after the other has had its time; how that ended.
root: the message on its first channel."""

CODE = """CREATE TABLE code (
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    letters TEXT NOT NULL,
    drawn_at INTEGER NOT NULL,
    PRIMARY KEY (incident, contact)
) STRICT, WITHOUT ROWID"""

GUESS = """CREATE TABLE guess (
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    wrong INTEGER NOT NULL CHECK (wrong >= 1),
    locked_at INTEGER,
    PRIMARY KEY (incident, contact, channel)
) STRICT, WITHOUT ROWID"""
"""Wrong codes from one address of a contact; locked: nothing from there counts for this incident any more."""

ASKED = """CREATE TABLE asked (
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (contact, channel)
) STRICT, WITHOUT ROWID"""
"""When a contact was last asked for a code."""

HEARD = """CREATE TABLE heard (
    channel TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    incident TEXT NOT NULL,
    at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    text TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (channel, provider_id)
) STRICT, WITHOUT ROWID"""
"""What contacts sent and were answered, each message once: the same one again gets the same answer and does nothing.
provider_id: the SHA-256 of the sender's address and the id that the message had."""

LINK = """CREATE TABLE link (
    digest TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID"""
"""SHA-256 of the token of a mail's link; who and about what stands with the attempt's notification."""

PROOF = """CREATE TABLE proof (
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    letters TEXT NOT NULL DEFAULT '',
    sent_at INTEGER,
    wrong INTEGER NOT NULL DEFAULT 0,
    confirmed_at INTEGER,
    PRIMARY KEY (contact, channel)
) STRICT, WITHOUT ROWID"""
"""Whether an address is its contact's: the letters that were sent there, and when they came back."""

PROGRESS = """CREATE TABLE progress (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    step INTEGER NOT NULL CHECK (step >= 1),
    what TEXT NOT NULL CHECK (what IN ('sent', 'done')),
    at INTEGER NOT NULL,
    UNIQUE (incident, contact, step, what)
) STRICT"""
"""Which steps of the runbook a contact was sent, and has done."""


PROGRESS_2 = """CREATE TABLE progress (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    book TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 1),
    what TEXT NOT NULL CHECK (what IN ('sent', 'done')),
    at INTEGER NOT NULL,
    UNIQUE (incident, contact, book, step, what)
) STRICT"""
"""book: whose step it is; an incident has another one when its cause is found, or it gets worse. "": not known."""


_NO = "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"


def _append_only(table: str) -> tuple[str, str]:
    return (
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {_NO}",
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} {_NO}",
    )


INBOX: tuple[Migration, ...] = (
    Migration(
        "receipts and answers",
        (
            *(RECEIPT, TURN, CODE, GUESS, ASKED, HEARD, LINK, PROOF, PROGRESS),
            "CREATE INDEX turn_open ON turn (due_at) WHERE ended_at IS NULL",
            *_append_only("receipt"),
            *_append_only("progress"),
        ),
    ),
)

BOOKS = Migration(
    "steps are those of a runbook",
    (
        "ALTER TABLE progress RENAME TO progress_before",
        PROGRESS_2,
        "INSERT INTO progress SELECT id, incident, contact, '', step, what, at FROM progress_before ORDER BY id",
        "DROP TABLE progress_before",
        *_append_only("progress"),
    ),
)
