"""The OpenAPI document of /api/v1, made of the handlers: addresses, docstrings, queries and the types they answer."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

from alerting.model import Severity
from monitor.data import version
from monitor.model import Phase
from monitor.web import facts, words
from monitor.web.history import MOST_PAGES, MOST_ROWS

Handler = TypeVar("Handler", bound=Callable[..., Any])
Schema = dict[str, Any]
_TOLD = "__lambi_tells__"
"""Attribute of a handler: the type it answers, and what it may be asked."""
MOMENT: Schema = {
    "type": "string",
    "description": "A date (UTC) or a time as in RFC 3339.",
    "anyOf": [{"format": "date"}, {"format": "date-time"}],
}
UNASKED: Schema = {"const": "", "description": "As if it were not asked, as a form sends it."}
QUERIES: Mapping[str, Schema] = {
    "kind": {"type": "string", "enum": list(words.KINDS)},
    "state": {"type": "string", "enum": [phase.value.replace(" ", "-") for phase in Phase]},
    "severity": {"type": "string", "enum": [level.value for level in Severity], "description": "At least this."},
    "asset": {"type": "string", "maxLength": 200, "pattern": "^[a-z]+:", "description": "An asset's id."},
    "since": MOMENT,
    "until": {**MOMENT, "description": f"{MOMENT['description']} A date includes its day."},
    "page": {"type": "integer", "minimum": 1, "maximum": MOST_PAGES, "default": 1},
    "per": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 50},
}


def tells(kind: Any, *query: str) -> Callable[[Handler], Handler]:
    """Say what type a handler answers, and by which of QUERIES it may be narrowed."""

    def mark(handler: Handler) -> Handler:
        setattr(handler, _TOLD, (kind, query))
        return handler

    return mark


def document(routes: Mapping[str, Callable[..., Any]], territories: Iterable[str], base_url: str) -> Schema:
    """Return the document of every route that says what it tells."""
    told = {path: (handler, *getattr(handler, _TOLD)) for path, handler in routes.items() if hasattr(handler, _TOLD)}
    kinds = [facts.Refusal, *(kind for _, kind, _ in told.values())]
    names, parts = TypeAdapter.json_schemas(
        [(kind.__name__, "serialization", TypeAdapter(kind)) for kind in kinds],
        ref_template="#/components/schemas/{model}",
    )
    schemas = parts.get("$defs", {})
    queries = {**QUERIES, "territory": {"type": "string", "enum": sorted(territories)}}
    answers = {kind.__name__: names[kind.__name__, "serialization"] for kind in kinds}
    paths = {
        re.sub(r":[^}]*\}$", "}", path): {"get": _operation(path, handler, answers[kind.__name__], query, queries)}
        for path, (handler, kind, query) in told.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lambi",
            "version": version(),
            "summary": "Everything that the page shows, to read and nothing else.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Refusal": {
                    "description": "Why there is no other answer.",
                    "content": {"application/json": {"schema": answers["Refusal"]}},
                }
            },
        },
    }


def _operation(
    path: str, handler: Callable[..., Any], answer: Schema, query: Iterable[str], queries: Mapping[str, Schema]
) -> Schema:
    name = handler.__name__.removeprefix("api_")
    asked = [{"name": one, "in": "query", "schema": {"anyOf": [queries[one], UNASKED]}} for one in query]
    named = [
        {"name": one, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for one in re.findall(r"\{(\w+)", path)
    ]
    return {
        "operationId": name,
        "summary": inspect.cleandoc(handler.__doc__ or name).splitlines()[0],
        "parameters": [*named, *asked],
        "responses": {
            "200": {"description": "As asked.", "content": {"application/json": {"schema": answer}}},
            "304": {"description": "What the If-None-Match of the question has."},
            "default": {"$ref": "#/components/responses/Refusal"},
        },
    }
