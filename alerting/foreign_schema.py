"""The table of what other systems report. Appended to alerting's migrations."""

from alerting.journal import Migration

ALERT = """CREATE TABLE foreign_alert (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    generator TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    named INTEGER NOT NULL CHECK (named IN (0, 1)),
    heard_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    closed_at INTEGER,
    closing TEXT NOT NULL,
    late INTEGER NOT NULL CHECK (late IN (0, 1)),
    CHECK ((closed_at IS NULL) = (closing = ''))
) STRICT"""
"""until_at: over then, unless it is reported again. named: its source has named that end. late: its end was the first
that was heard of it."""

EVENT = """CREATE TABLE foreign_event (
    id INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL REFERENCES foreign_alert (id),
    at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT"""
"""Each time it opened and closed; append-only. state: open, or why it closed."""

_SAY = """INSERT INTO foreign_event (alert, at, revision, state)
    VALUES (new.id, new.changed_at, new.revision, coalesce(nullif(new.closing, ''), 'open'));"""
_NO = "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"

FOREIGN: tuple[Migration, ...] = (
    Migration(
        "alerts of other systems",
        (
            ALERT,
            EVENT,
            "CREATE UNIQUE INDEX foreign_alert_open ON foreign_alert (fingerprint) WHERE closed_at IS NULL",
            f"CREATE TRIGGER foreign_alert_began AFTER INSERT ON foreign_alert BEGIN {_SAY} END",
            "CREATE TRIGGER foreign_alert_moved AFTER UPDATE ON foreign_alert "
            f"WHEN new.revision <> old.revision BEGIN {_SAY} END",
            f"CREATE TRIGGER foreign_event_kept BEFORE DELETE ON foreign_event {_NO}",
            f"CREATE TRIGGER foreign_event_fixed BEFORE UPDATE ON foreign_event {_NO}",
        ),
    ),
)
