"""pydantic's errors -> problems that teach, each at its line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean

M = TypeVar("M", bound=BaseModel)

_SENTENCES = {
    "int_parsing": "not a whole number",
    "int_from_float": "not a whole number",
    "int_type": "not a whole number",
    "int_parsing_size": "not a number of a sensible size",
    "float_parsing": "not a number",
    "float_type": "not a number",
    "finite_number": "not a finite number",
    "bool_parsing": "neither true nor false",
    "bool_type": "neither true nor false",
    "string_type": "not a single value",
    "list_type": "not a list",
    "tuple_type": "not a list",
    "dict_type": "not keys and values",
    "model_type": "not keys and values",
    "string_too_short": "empty",
    "too_short": "empty",
    "mapping_type": "not keys and values",
}
_EXPECTED = {
    "tuple_type": '"- item" lines or [item, item]',
    "list_type": '"- item" lines or [item, item]',
    "dict_type": '"key: value" lines',
    "model_type": '"key: value" lines',
    "bool_parsing": "true or false",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a value: where in it, what, and what was expected."""

    location: tuple[str | int, ...]
    message: str
    expected: str = ""


def validated(model: type[M], values: Any, node: Node) -> tuple[M | None, list[Problem]]:
    """Return the model's instance, or None and its problems at their places in ``node``."""
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [placed(fault, node) for fault in faults(error, model)]


def placed(fault: Fault, node: Node) -> Problem:
    """Point to the fault's place below ``node``, as far as the file goes."""
    rest = list(fault.location)
    while rest and (below := node.below(rest[0])) is not None:
        node = below
        rest.pop(0)
    path = node.path + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in rest)
    return Problem(node.where, path.lstrip("."), fault.message, fault.expected)


def faults(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Say each of pydantic's errors in our words; of the branches of one union only the first speaks."""
    said: dict[tuple[str | int, ...], Fault] = {}
    for details in error.errors(include_url=False, include_input=True):
        fault = _fault(details, model)
        said.setdefault(fault.location, fault)
    return [fault for fault in said.values() if not (fault.message == "empty" and _speaks_below(fault, said))]


def _speaks_below(fault: Fault, said: Iterable[tuple[str | int, ...]]) -> bool:
    """A list is not called empty because its only item is wrong."""
    depth = len(fault.location)
    return any(len(place) > depth and place[:depth] == fault.location for place in said)


def _fault(details: ErrorDetails, model: type[BaseModel]) -> Fault:
    kind, context = details["type"], details.get("ctx", {})
    location = tuple(_real(details["loc"], model))
    if kind == "lambi":
        return Fault(location, context["message"], context["expected"])
    if kind == "extra_forbidden":
        return Fault(location, f"unknown key{did_you_mean(str(location[-1]), _keys(model, location[:-1]))}")
    if kind == "missing":
        return Fault(location, "missing", _described(model, location))
    if kind in {"literal_error", "enum"}:
        return _choice(location, details, context)
    if kind in _SENTENCES:
        return Fault(location, _SENTENCES[kind], _EXPECTED.get(kind, ""))
    if kind == "value_error":
        return Fault(location, str(context.get("error", details["msg"])))
    return Fault(location, details["msg"].removeprefix("Input "))


def _choice(location: tuple[str | int, ...], details: ErrorDetails, context: dict[str, Any]) -> Fault:
    choices = [word for word in str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ") if word]
    written = details["input"]
    word = written if isinstance(written, str) and len(written) <= 40 else "this"
    near = did_you_mean(word, choices)
    if near.startswith("; did"):
        return Fault(location, f'"{word}" is not known here{near}')
    return Fault(location, f'"{word}" is not known here', "one of " + ", ".join(choices))


def _real(location: tuple[str | int, ...], model: type[BaseModel]) -> Iterator[str | int]:
    """Leave out what pydantic adds to a location: names of union branches, validators and dict keys."""
    annotation: Any = model
    for piece in location:
        if piece == "[key]" or (isinstance(piece, str) and ("[" in piece or piece in {"enum", "constrained-str"})):
            continue
        following = _below(annotation, piece)
        if following is None and not _takes(annotation, piece):
            continue
        yield piece
        annotation = following


def _takes(annotation: Any, piece: str | int) -> bool:
    """Say whether ``piece`` can be a key in such a value, known or not."""
    bare = _bare(annotation)
    return isinstance(bare, type) and issubclass(bare, BaseModel) and isinstance(piece, str)


def _bare(annotation: Any) -> Any:
    """Strip Annotated and the None of an optional value."""
    while (origin := get_origin(annotation)) in {Annotated, Union, UnionType}:
        args = [arg for arg in get_args(annotation) if arg is not type(None)]
        annotation = args[0]
        if origin is not Annotated and len(args) > 1 and not isinstance(annotation, type):
            continue
    return annotation


def _below(annotation: Any, piece: str | int) -> Any:
    """Return the annotation of what stands under ``piece``, or None."""
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        field = next((one for name, one in bare.model_fields.items() if piece in {name, one.alias}), None)
        return field.annotation if field else None
    if get_origin(bare) in {tuple, list} and isinstance(piece, int):
        return get_args(bare)[0]
    if get_origin(bare) is dict and isinstance(piece, str):
        return get_args(bare)[1]
    return None


def _keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    annotation: Any = model
    for piece in location:
        annotation = _below(annotation, piece)
    bare = _bare(annotation)
    fields = bare.model_fields if isinstance(bare, type) and issubclass(bare, BaseModel) else {}
    return [field.alias or name for name, field in fields.items()]


def _described(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """Return an example of what is missing, where its type has one."""
    annotation: Any = model
    for piece in location[:-1]:
        annotation = _below(annotation, piece)
    bare = _bare(annotation)
    field = bare.model_fields.get(str(location[-1])) if isinstance(bare, type) and issubclass(bare, BaseModel) else None
    for part in field.metadata if field else ():
        examples = (getattr(part, "json_schema", None) or {}).get("examples")
        if examples:
            return f"like {examples[0]}"
    return ""
