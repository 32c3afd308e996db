"""The tables of alerting. Moments are integer microseconds UTC (`journal.micros`).

What can never be emptied (notification, attempt, notification_event) holds contact names of the config and scrubbed
errors only; what a person was sent stands in `text`, which can be deleted row by row.
"""

from alerting.journal import Migration

CONTACT = """CREATE TABLE contact (
    name TEXT PRIMARY KEY,
    agency TEXT NOT NULL
) STRICT, WITHOUT ROWID"""

NOTIFICATION = """CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('first', 'worse', 'repeat', 'resolved', 'test')),
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'major', 'critical')),
    revision INTEGER NOT NULL,
    planned_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL CHECK (deadline_at > planned_at),
    state TEXT NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'ready', 'accepted', 'superseded', 'expired', 'refused')),
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    CHECK ((state IN ('planned', 'ready')) = (ended_at IS NULL)),
    CHECK (ended_at IS NULL OR ended_at = changed_at),
    CHECK (state NOT IN ('superseded', 'expired', 'refused') OR why <> '')
) STRICT"""
"""planned: waits until due_at. ready: its intent is written and a channel has it. The other states are final;
accepted is the provider's word, not the contact's."""

ATTEMPT = """CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notification (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    channel TEXT NOT NULL,
    repeats INTEGER REFERENCES attempt (id),
    revision INTEGER NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'major', 'critical')),
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    intent_at INTEGER NOT NULL,
    ended_at INTEGER,
    status TEXT NOT NULL DEFAULT 'intent' CHECK (status IN ('intent', 'accepted', 'failed', 'unknown')),
    provider_id TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    UNIQUE (notification, number),
    CHECK ((status = 'intent') = (ended_at IS NULL)),
    CHECK (status NOT IN ('failed', 'unknown') OR error <> '')
) STRICT"""
"""repeats: the first attempt of unknown end that this one repeats, whose id is the reference both carry.
revision, severity, closed: the truth that its text told. answer: the provider's words when it took the message.
unreached: it failed for want of a path."""

TEXT = """CREATE TABLE text (
    attempt INTEGER PRIMARY KEY REFERENCES attempt (id),
    subject TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT"""

EVENT = """CREATE TABLE notification_event (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notification (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT"""

# How a row begins and ends; what happens in between stands in its attempts.
RECORD = """INSERT INTO notification_event (notification, at, state, why)
    VALUES (new.id, new.changed_at, new.state, new.why);"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "notifications and attempts",
        (
            CONTACT,
            NOTIFICATION,
            ATTEMPT,
            TEXT,
            EVENT,
            "CREATE INDEX notification_open ON notification (due_at) WHERE ended_at IS NULL",
            "CREATE INDEX notification_incident ON notification (incident, contact, channel)",
            "CREATE INDEX attempt_open ON attempt (notification) WHERE status = 'intent'",
            f"CREATE TRIGGER notification_planned AFTER INSERT ON notification BEGIN {RECORD} END",
            "CREATE TRIGGER notification_moved AFTER UPDATE OF state ON notification "
            f"WHEN new.ended_at IS NOT NULL BEGIN {RECORD} END",
            "CREATE TRIGGER event_kept BEFORE DELETE ON notification_event "
            "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END",
            "CREATE TRIGGER event_fixed BEFORE UPDATE ON notification_event "
            "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END",
        ),
    ),
    Migration(
        "tries that found no path",
        ("ALTER TABLE attempt ADD COLUMN unreached INTEGER NOT NULL DEFAULT 0 CHECK (unreached IN (0, 1))",),
    ),
)
