"""The OpenAPI document tells of every address of /api/v1, and what is answered is what it tells."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.counts import soak
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site

PATHS = {
    "/api/v1/status": ["/api/v1/status"],
    "/api/v1/assets": ["/api/v1/assets", "/api/v1/assets?territory=BB&kind=cable&state=down"],
    "/api/v1/asset/{id}": ["/api/v1/asset/cctld:bb", "/api/v1/asset/cable:ecfs", "/api/v1/asset/vantage:bridgetown"],
    "/api/v1/why/{id}": ["/api/v1/why/cctld:bb"],
    "/api/v1/maintenance": ["/api/v1/maintenance"],
    "/api/v1/to-confirm": ["/api/v1/to-confirm"],
    "/api/v1/resilience": ["/api/v1/resilience"],
    "/api/v1/incidents": ["/api/v1/incidents", "/api/v1/incidents?asset=cable:ecfs", "/api/v1/incidents?per=3&page=2"],
    "/api/v1/incident/{id}": ["/api/v1/incident/17"],
}

OPTIONS = (
    "--no-color",
    "--phases=examples,coverage,fuzzing",
    "--exclude-checks=positive_data_acceptance",  # nothing in OpenAPI says that a period ends after it begins
    "--continue-on-failure",
)

REFUSALS = '[checks]\nnegative_data_rejection.expected-statuses = ["400", "404", "405", "414"]\n'
"""An address that is too long is refused as such."""


def strict(schema: Any) -> Any:
    """Allow no field that the document does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    return {**made, "additionalProperties": False} if "properties" in made else made


def answer_of(document: Any, path: str) -> dict[str, Any]:
    """Return the schema of what an address answers, with all it refers to."""
    (content,) = document["paths"][path]["get"]["responses"]["200"]["content"].values()
    return {**strict(content["schema"]), "components": strict(document["components"])}


@pytest.mark.parametrize(
    "world",
    [
        worlds.calm,
        worlds.storm,
        worlds.blind,
        worlds.no_icmp,
        worlds.hostile,
        worlds.works,
        worlds.tangle,
        worlds.warned,
        worlds.doubtful,
    ],
)
async def test_what_is_answered_is_what_the_document_tells(world: Any) -> None:
    async with Site(world()) as site:
        document = await site.json("/api/v1/openapi.json")
        for path, asked in PATHS.items():
            schema = answer_of(document, path)
            for one in asked:
                async with site.client.get(one) as response:
                    found = await response.json()
                    if response.status == 200:
                        jsonschema.validate(found, schema, jsonschema.Draft202012Validator)
                    else:
                        assert (response.status, list(found)) == (404, ["error"])


async def test_it_tells_of_every_address_of_the_api() -> None:
    async with Site(worlds.calm()) as site:
        document = await site.json("/api/v1/openapi.json")
        routes = [r.canonical for r in site.client.server.app.router.resources()]  # type: ignore[attr-defined] # the server of a TestClient has its app
    told = set(document["paths"])
    assert told == {path for path in routes if path.startswith("/api/v1/")} - {"/api/v1/openapi.json"} == set(PATHS)
    assert document["openapi"] == "3.1.0"
    for one in document["paths"].values():
        assert one["get"]["summary"].endswith(".")
    assert "BB" in json.dumps(document)


async def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """It asks whatever the document allows and forbids."""
    (tmp_path / "schemathesis.toml").write_text(REFUSALS)
    async with Site(worlds.storm()) as site:
        url = str(site.client.make_url("/api/v1/openapi.json"))
        words = (
            "run",
            url,
            "--url",
            str(site.client.make_url("/")),
            *OPTIONS,
            f"--max-examples={soak(ci=15, soak=400)}",
        )
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", *words, cwd=tmp_path, stdout=PIPE, stderr=STDOUT
        )
        said, _ = await done.communicate()
        assert done.returncode == 0, said.decode()
        assert site.bugs == 0
