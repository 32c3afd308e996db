"""Monitor's tables in the journal. Times are integer microseconds since 1970, UTC."""

from alerting import schema as alerting_schema
from alerting.journal import Migration

_APPEND_ONLY = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""


def _append_only(*tables: str) -> tuple[str, ...]:
    return tuple(_APPEND_ONLY.format(table=table, verb=verb) for table in tables for verb in ("UPDATE", "DELETE"))


MIGRATIONS = (
    Migration(
        "the line",
        (
            """CREATE TABLE state (
                check_id TEXT NOT NULL, part TEXT NOT NULL, phase TEXT NOT NULL, since INTEGER NOT NULL,
                reason TEXT NOT NULL, settled TEXT NOT NULL, settled_since INTEGER NOT NULL, before TEXT NOT NULL,
                seen INTEGER NOT NULL, run INTEGER NOT NULL, run_since INTEGER, leaning TEXT NOT NULL,
                refused INTEGER NOT NULL, PRIMARY KEY (check_id, part)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE signal (
                id INTEGER PRIMARY KEY, check_id TEXT NOT NULL, part TEXT NOT NULL, asset TEXT NOT NULL,
                old TEXT NOT NULL, new TEXT NOT NULL, at INTEGER NOT NULL, began INTEGER NOT NULL,
                reason TEXT NOT NULL
            ) STRICT""",
            "CREATE INDEX signal_asset ON signal (asset, at)",
            """CREATE TABLE incident (
                id INTEGER PRIMARY KEY, asset TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,
                began INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER, revision INTEGER NOT NULL,
                CHECK (closed IS NULL OR closed >= opened)
            ) STRICT""",
            "CREATE INDEX incident_open ON incident (id) WHERE closed IS NULL",
            "CREATE INDEX incident_began ON incident (began)",
            """CREATE TABLE incident_territory (
                incident INTEGER NOT NULL REFERENCES incident, territory TEXT NOT NULL,
                PRIMARY KEY (territory, incident)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE incident_revision (
                incident INTEGER NOT NULL REFERENCES incident, revision INTEGER NOT NULL, at INTEGER NOT NULL,
                what TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (incident, revision)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE incident_entry (
                incident INTEGER NOT NULL REFERENCES incident, number INTEGER NOT NULL, at INTEGER NOT NULL,
                what TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (incident, number)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE pending (
                asset TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('waiting', 'recovered')),
                since INTEGER NOT NULL, PRIMARY KEY (asset, what)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE watch (
                id INTEGER PRIMARY KEY, started INTEGER NOT NULL, beat INTEGER NOT NULL, ended INTEGER
            ) STRICT""",
            *_append_only("signal", "incident_revision", "incident_entry"),
        ),
    ),
    Migration(
        "maintenance",
        (
            """CREATE TABLE maintenance (
                number INTEGER PRIMARY KEY, name TEXT NOT NULL,
                origin TEXT NOT NULL CHECK (origin IN ('config', 'hand', 'calendar')), uid TEXT NOT NULL,
                asset TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, reason TEXT NOT NULL,
                author TEXT NOT NULL, below INTEGER NOT NULL, rule TEXT NOT NULL, zone TEXT NOT NULL,
                skipped TEXT NOT NULL, added INTEGER NOT NULL, added_by TEXT NOT NULL, CHECK (until > since)
            ) STRICT""",
            """CREATE TABLE maintenance_end (
                number INTEGER PRIMARY KEY REFERENCES maintenance, ended INTEGER NOT NULL, ended_by TEXT NOT NULL
            ) STRICT""",
            *_append_only("maintenance", "maintenance_end"),
        ),
    ),
    Migration(
        "baselines",
        (
            """CREATE TABLE baseline (
                vantage TEXT NOT NULL, check_id TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
                middles BLOB NOT NULL, spreads BLOB NOT NULL, weeks BLOB NOT NULL, doubts BLOB NOT NULL,
                facts TEXT NOT NULL, PRIMARY KEY (vantage, check_id, part, key)
            ) STRICT""",
        ),
    ),
    Migration(
        "postures",
        (
            """CREATE TABLE posture (
                number INTEGER PRIMARY KEY, territory TEXT NOT NULL, level TEXT NOT NULL, since INTEGER NOT NULL,
                until INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL, added_by TEXT NOT NULL,
                CHECK (until > since)
            ) STRICT""",
            """CREATE TABLE posture_end (
                number INTEGER PRIMARY KEY REFERENCES posture, ended INTEGER NOT NULL, ending TEXT NOT NULL,
                ended_by TEXT NOT NULL
            ) STRICT""",
            *_append_only("posture", "posture_end"),
        ),
    ),
)

SCHEMAS = {"alerting": alerting_schema.MIGRATIONS, "monitor": MIGRATIONS}
"""All that stands in the journal, by owner."""
