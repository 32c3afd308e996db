"""Between the model's records and the journal's rows."""

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from alerting.journal import micros, moment
from alerting.model import Severity
from monitor.model import Entry, Incident, Phase, State

_LISTS = {"territories", "children", "evidence", "people"}
_TIMES = {"began", "opened", "changed", "closed"}


def state_row(check: str, part: str, state: State) -> tuple[Any, ...]:
    """Return the row of table ``state``."""
    return (
        check,
        part,
        state.phase.value,
        micros(state.since),
        state.reason,
        state.settled.value,
        micros(state.settled_since),
        state.before.value,
        micros(state.seen),
        state.run,
        micros(state.run_since) if state.run_since else None,
        state.leaning.value,
        int(state.refused),
    )


def read_state(row: Sequence[Any]) -> tuple[str, str, State]:
    """Return (check, part, state) of a row."""
    (check, part, phase, since, reason, settled, settled_since, before, seen, run, run_since, leaning, refused) = row
    return (
        check,
        part,
        State(
            Phase(phase),
            moment(since),
            reason,
            Phase(settled),
            moment(settled_since),
            Phase(before),
            moment(seen),
            run,
            moment(run_since) if run_since is not None else None,
            Phase(leaning),
            bool(refused),
        ),
    )


def document(incident: Incident) -> str:
    """Return one revision as JSON; the timeline has a table of its own."""
    doc = {f.name: _plain(getattr(incident, f.name)) for f in fields(incident) if f.name != "timeline"}
    return json.dumps(doc, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_incident(text: str, entries: Sequence[Entry] = ()) -> Incident:
    """Return the incident of a revision's JSON."""
    known = {each.name for each in fields(Incident)}  # an earlier version may have kept what nobody asks for any more
    doc = {name: value for name, value in json.loads(text).items() if name in known}
    for name in _TIMES:
        doc[name] = moment(doc[name]) if doc[name] is not None else None
    for name in _LISTS & doc.keys():
        doc[name] = tuple(doc[name])
    return Incident(
        **{**doc, "severity": Severity(doc["severity"]), "phase": Phase(doc["phase"])}, timeline=(*entries,)
    )


def _plain(value: object) -> object:
    """Return what JSON can hold: a moment as microseconds."""
    return micros(value) if isinstance(value, datetime) else value
