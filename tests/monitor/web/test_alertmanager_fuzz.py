"""Whatever is posted to the addresses of an Alertmanager: an answer of its own, and nothing but what was asked."""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.counts import soak
from tests.monitor.web.test_alertmanager import FIRES, QUIET, opened

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=10), below, max_size=3),
    max_leaves=8,
)
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["alertname", "severity", "territory", "BB", "\ud800", "a b", "0" * 2000]
)
STAMPS = st.sampled_from(["2026-09-01T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now", ""]) | JSON
ALERT = st.fixed_dictionaries(
    {"labels": st.dictionaries(TEXTS, TEXTS | JSON, max_size=4)},
    optional={
        "annotations": st.dictionaries(TEXTS, TEXTS, max_size=3),
        "startsAt": STAMPS,
        "endsAt": STAMPS,
        "generatorURL": TEXTS,
    },
)
BODIES = (
    st.lists(ALERT, max_size=4).map(lambda rows: json.dumps(rows).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.sampled_from([json.dumps(FIRES).encode(), json.dumps(QUIET).encode(), b"[" * 5_000])
)
PATHS = st.sampled_from(
    [
        "alerts",
        "alerts/groups",
        "silences",
        "silence/s1",
        "silence/%00",
        "silence/museum",
        "status",
        "receivers",
        "nothing",
    ]
)
FILTERS = st.dictionaries(st.sampled_from(["filter", "active", "silenced", "receiver"]), TEXTS, max_size=2)
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    PATHS,
    FILTERS,
    BODIES,
    st.sampled_from(["right"] * 4 + ["", "x"]),
)
Request = tuple[str, str, dict[str, str], bytes, str]


async def ask(requests: Sequence[Request]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as door:
            for method, path, query, body, login in requests:
                before = len(door.book.standing()), await door.journal.read("SELECT count(*) FROM silence")
                clean = {key: value.encode("utf-8", "replace").decode() for key, value in query.items()}
                url = URL(f"/api/v2/{path}", encoded=True).with_query(clean)
                more: dict[str, Any] = {"data": body} if method == "POST" else {}
                headers = {"Content-Type": "application/json"} if more else {}
                headers["Authorization"] = f"Bearer {'token-of-the-ops-door' if login == 'right' else login}"
                async with door.client.request(method, url, headers=headers, **more) as answer:
                    said = await answer.text()
                    assert answer.status in {200, 400, 401, 404, 405, 409, 413, 414, 415, 422}, (method, path, body)
                    assert "noc@" not in said
                    assert "Traceback" not in said
                after = len(door.book.standing()), await door.journal.read("SELECT count(*) FROM silence")
                if login != "right" or method in {"GET", "PUT"}:
                    assert after == before, "without the token, or only looking, nothing changes"
        # `opened` has counted bugs: there were none


@settings(max_examples=soak(ci=25, soak=5_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS, min_size=4, max_size=16))
def test_whatever_is_sent_is_answered_and_without_the_token_nothing_changes(requests: list[Request]) -> None:
    asyncio.run(ask(requests))
