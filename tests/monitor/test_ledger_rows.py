"""Incidents as the journal keeps them, also those that an earlier version wrote."""

import json

from monitor.ledger.rows import document, read_incident
from monitor.model import Entry
from tests.fakes import START
from tests.monitor.web import worlds


def test_an_incident_is_read_as_it_was_written_and_what_nobody_asks_for_any_more_is_passed_over() -> None:
    timeline = (Entry(START, "opened", "Cable ANT1 down: no answer"),)
    incident = worlds.incident(
        "1", "cable:ant1", "Cable ANT1 down", worlds.Severity.MAJOR, START, children=("router:ant",), timeline=timeline
    )
    assert read_incident(document(incident), timeline) == incident
    earlier = json.dumps({**json.loads(document(incident)), "members": ["cable:ant2"]})
    assert read_incident(earlier, timeline) == incident
