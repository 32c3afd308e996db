"""docs/api.md names every field and every metric that leaves."""

from pathlib import Path

from monitor.web.ops import collect
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site

DOCS = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
FREE = {"values", "facts", "watched", "not_watched"}
"""Objects whose keys are data."""


def fields(fact: object) -> set[str]:
    """Every field name, however deep."""
    if isinstance(fact, list):
        return set().union(*(fields(one) for one in fact))
    if not isinstance(fact, dict):
        return set()
    return set(fact).union(*(fields(value) for key, value in fact.items() if key not in FREE))


async def test_every_field_is_documented() -> None:
    async with Site(worlds.storm()) as site:
        for path in ("status", "assets", "asset/cctld:bb", "incidents", "incident/17", "resilience", "why/cctld:bb"):
            for name in fields(await site.json(f"/api/v1/{path}")):
                assert f"`{name}`" in DOCS or f'"{name}"' in DOCS, (path, name)


def test_every_metric_is_documented() -> None:
    for family in collect(worlds.storm(), worlds.NOW):
        assert f"`{family.name}" in DOCS, family.name
