"""The tables of exercises. Appended to alerting's migrations."""

from alerting.journal import Migration

DRILL = """CREATE TABLE drill (
    id TEXT PRIMARY KEY CHECK (id = 'E' || number),
    number INTEGER NOT NULL UNIQUE,
    scenario TEXT NOT NULL,
    facts TEXT NOT NULL,
    runbook TEXT NOT NULL,
    steps INTEGER NOT NULL,
    author TEXT NOT NULL,
    after INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL CHECK (due_at > began_at),
    ended_at INTEGER,
    ending TEXT NOT NULL DEFAULT '' CHECK (ending IN ('', 'over', 'ended', 'broken off')),
    why TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ending = '') AND (ended_at IS NULL) = (why = ''))
) STRICT, WITHOUT ROWID"""
"""facts: what its messages say, as JSON. runbook, steps: the one it asked for, pinned, and how many steps that has.
after: the last notification before it. due_at: when it ends by itself."""

DRILL_CONTACT = """CREATE TABLE drill_contact (
    drill TEXT NOT NULL REFERENCES drill (id),
    contact TEXT NOT NULL REFERENCES contact (name),
    agency TEXT NOT NULL,
    PRIMARY KEY (drill, contact)
) STRICT, WITHOUT ROWID"""
"""Whom an exercise may reach, and nobody else."""

_NO = "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"

DRILLS: tuple[Migration, ...] = (
    Migration(
        "exercises",
        (
            DRILL,
            DRILL_CONTACT,
            "CREATE INDEX drill_open ON drill (due_at) WHERE ended_at IS NULL",
            f"CREATE TRIGGER drill_kept BEFORE DELETE ON drill {_NO}",
            f"CREATE TRIGGER drill_fixed BEFORE UPDATE ON drill WHEN old.ended_at IS NOT NULL {_NO}",
            f"CREATE TRIGGER drill_contact_kept BEFORE DELETE ON drill_contact {_NO}",
            f"CREATE TRIGGER drill_contact_fixed BEFORE UPDATE ON drill_contact {_NO}",
        ),
    ),
)
