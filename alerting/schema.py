"""The tables of alerting. Moments are integer microseconds UTC (`journal.micros`).

What can never be emptied (notification, attempt, notification_event) holds contact names of the config and scrubbed
errors only; what a person was sent stands in `text`, which can be deleted row by row.
"""

from alerting.drill_schema import DRILLS
from alerting.foreign_schema import FOREIGN
from alerting.inbox_schema import BOOKS, INBOX
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

NOTIFICATION_3 = """CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    reason TEXT NOT NULL
        CHECK (reason IN ('first', 'worse', 'repeat', 'resolved', 'test', 'escalate', 'handover', 'drill')),
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'major', 'critical')),
    revision INTEGER NOT NULL,
    planned_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL CHECK (deadline_at > planned_at),
    state TEXT NOT NULL DEFAULT 'planned' CHECK (state IN
        ('planned', 'ready', 'accepted', 'delivered', 'acknowledged', 'superseded', 'expired', 'refused')),
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    route TEXT NOT NULL DEFAULT '',
    ladder TEXT NOT NULL DEFAULT '',
    grp TEXT NOT NULL DEFAULT '',
    held TEXT NOT NULL DEFAULT '',
    CHECK ((state IN ('planned', 'ready')) = (ended_at IS NULL)),
    CHECK (ended_at IS NULL OR ended_at = changed_at),
    CHECK (state NOT IN ('acknowledged', 'superseded', 'expired', 'refused') OR why <> '')
) STRICT"""
"""route, ladder: what named the contact. grp: rows of one group and contact leave together; empty: each alone.
held: the operator's rule (silence, inhibition, time interval) that keeps it back just now."""

ATTEMPT_3 = """CREATE TABLE attempt (
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
    unreached INTEGER NOT NULL DEFAULT 0 CHECK (unreached IN (0, 1)),
    bundle INTEGER REFERENCES attempt (id),
    parts INTEGER NOT NULL DEFAULT 1,
    UNIQUE (notification, number),
    CHECK ((status = 'intent') = (ended_at IS NULL)),
    CHECK (status NOT IN ('failed', 'unknown') OR error <> '')
) STRICT"""
"""bundle: of a message that tells of several incidents, the attempt whose id is its reference; each incident has a row.
parts: what a message costs, in short messages; it stands in the row that holds the text, the others say 0."""

ESCALATION = """CREATE TABLE escalation (
    incident TEXT NOT NULL,
    ladder TEXT NOT NULL,
    agency TEXT NOT NULL,
    route TEXT NOT NULL,
    steps TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 0),
    loop INTEGER NOT NULL CHECK (loop >= 0),
    state TEXT NOT NULL CHECK (state IN ('running', 'acknowledged', 'exhausted', 'over')),
    next_at INTEGER,
    began_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (incident, ladder),
    CHECK ((state IN ('running', 'acknowledged')) = (next_at IS NOT NULL))
) STRICT, WITHOUT ROWID"""
"""steps: the ladder as it was when the incident met it. step: the next one to take, at next_at; while acknowledged,
next_at is when that expires."""

ESCALATION_EVENT = """CREATE TABLE escalation_event (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    ladder TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    step INTEGER NOT NULL,
    loop INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT"""

RESPONSE = """CREATE TABLE response (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL,
    agency TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('ack', 'next', 'done', 'wait', 'repeat', 'help', 'resolve')),
    step INTEGER,
    minutes INTEGER,
    at INTEGER NOT NULL,
    via TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT"""
"""What people answered, and the key of what they were told. Their own words stand elsewhere, where they can go."""

SILENCE = """CREATE TABLE silence (
    id INTEGER PRIMARY KEY,
    matchers TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (ends_at >= starts_at),
    author TEXT NOT NULL CHECK (author <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    added_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by TEXT NOT NULL DEFAULT ''
) STRICT"""
"""ended_at: when somebody took it back before its end. One that has ended is never revived: a new one is made."""

DUTY = """CREATE TABLE duty (
    rotation TEXT PRIMARY KEY,
    contacts TEXT NOT NULL,
    next_at INTEGER
) STRICT, WITHOUT ROWID"""
"""Who is on duty as far as we have told them, and when that next changes."""

MOVED = """INSERT INTO escalation_event (incident, ladder, at, state, step, loop, why)
    VALUES (new.incident, new.ladder, new.changed_at, new.state, new.step, new.loop, new.why);"""


def _append_only(table: str) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_{name} BEFORE {verb} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
        for name, verb in (("kept", "DELETE"), ("fixed", "UPDATE"))
    )


_COLUMNS = {
    "notification": "id, incident, contact, channel, reason, severity, revision, planned_at, due_at, deadline_at, "
    "state, changed_at, ended_at, why",
    "attempt": "id, notification, number, channel, repeats, revision, severity, closed, intent_at, ended_at, status, "
    "provider_id, answer, error, unreached",
    "text": "attempt, subject, body",
    "notification_event": "id, notification, at, state, why",
}
# A CHECK cannot be changed in place: the four tables are made anew and take over every row; children go first.
REBUILT = (
    *(f"ALTER TABLE {table} RENAME TO {table}_before" for table in _COLUMNS),
    NOTIFICATION_3,
    ATTEMPT_3,
    TEXT,
    EVENT,
    *(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_before ORDER BY 1"  # noqa: S608 - constants
        for table, names in _COLUMNS.items()
    ),
    *(f"DROP TABLE {table}_before" for table in ("text", "notification_event", "attempt", "notification")),
)

ROWS_AND_HISTORY = (
    "CREATE INDEX notification_open ON notification (due_at) WHERE ended_at IS NULL",
    "CREATE INDEX notification_incident ON notification (incident, contact, channel)",
    "CREATE INDEX notification_contact ON notification (contact, channel) WHERE ended_at IS NULL",
    "CREATE INDEX attempt_open ON attempt (notification) WHERE status = 'intent'",
    "CREATE INDEX attempt_bundle ON attempt (bundle) WHERE bundle IS NOT NULL",
    "CREATE INDEX attempt_sent ON attempt (channel, intent_at) WHERE status <> 'failed'",
    f"CREATE TRIGGER notification_planned AFTER INSERT ON notification BEGIN {RECORD} END",
    "CREATE TRIGGER notification_moved AFTER UPDATE OF state ON notification "
    f"WHEN new.ended_at IS NOT NULL BEGIN {RECORD} END",
    *_append_only("notification_event"),
)

LADDERS = (
    ESCALATION,
    ESCALATION_EVENT,
    RESPONSE,
    SILENCE,
    DUTY,
    "CREATE INDEX escalation_due ON escalation (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX response_incident ON response (incident)",
    f"CREATE TRIGGER escalation_began AFTER INSERT ON escalation BEGIN {MOVED} END",
    f"CREATE TRIGGER escalation_moved AFTER UPDATE ON escalation BEGIN {MOVED} END",
    *_append_only("escalation_event"),
    *_append_only("response"),
)

FOUND_FAST = (
    "DROP INDEX notification_contact",
    "CREATE INDEX notification_due ON notification (channel, due_at) WHERE state = 'planned'",
    "CREATE INDEX notification_waiting ON notification (contact, channel) WHERE state = 'planned'",
    "CREATE INDEX notification_recent ON notification (contact, channel, changed_at)",
    "CREATE INDEX attempt_repeats ON attempt (repeats) WHERE repeats IS NOT NULL",
    "CREATE INDEX code_contact ON code (contact, drawn_at)",
    "CREATE INDEX turn_root ON turn (root)",
    "CREATE INDEX link_attempt ON link (attempt)",
)

# A ladder that waits is looked at every minute: that is no history.
NEWS_ALONE = (
    "DROP TRIGGER escalation_moved",
    "CREATE TRIGGER escalation_moved AFTER UPDATE ON escalation WHEN (new.state, new.step, new.loop, new.why) "
    f"<> (old.state, old.step, old.loop, old.why) BEGIN {MOVED} END",
)

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
    Migration("ladders, groups, silences", (*REBUILT, *ROWS_AND_HISTORY, *LADDERS)),
    *INBOX,
    Migration("what is due is found however long the history", FOUND_FAST),
    *DRILLS,
    *FOREIGN,
    Migration("a ladder that stands still writes no history", NEWS_ALONE),
    BOOKS,
)
