"""Settings of what is registered elsewhere (probes, channels): a dataclass's fields are the keys of the file."""

import dataclasses
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ValidationError, create_model

from monitor.config.schema import Secret
from monitor.config.strict import Strict
from monitor.config.validate import Fault, faults


@cache
def settings_model(cls: type) -> type[BaseModel]:
    """Return the pydantic model of a dataclass; a field with ``repr=False`` is a secret, never written plainly."""
    hints = get_type_hints(cls)
    keys: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.init and field.repr:
            keys[field.name] = (hints[field.name], _default(field))
        elif field.init:
            keys[field.name] = (Secret | None, None)
    return create_model(f"{cls.__name__}Settings", __base__=Strict, __doc__=cls.__doc__, **keys)


def _default(field: "dataclasses.Field[Any]") -> Any:
    """Nothing is required here: several places may each give a part."""
    return None if field.default is dataclasses.MISSING else field.default


def secrets(cls: type) -> tuple[str, ...]:
    """Name the fields that hold secrets."""
    return tuple(field.name for field in dataclasses.fields(cls) if field.init and not field.repr)


def checked(cls: type, written: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the values by field name, only those written, or what is wrong with them."""
    try:
        model = settings_model(cls).model_validate(written)
    except ValidationError as error:
        return {}, faults(error, settings_model(cls))
    return {key: getattr(model, key) for key in model.model_fields_set}, []


def construct(cls: type, values: dict[str, Any]) -> tuple[Any, list[Fault]]:
    """Make the dataclass; what its own check refuses is a fault too, at the key that its sentence names first."""
    lacking = [field.name for field in dataclasses.fields(cls) if _required(field) and field.name not in values]
    if lacking:
        return None, [Fault((name,), "missing") for name in lacking]
    try:
        return cls(**values), []
    except ValueError as error:
        key, _, sentence = str(error).partition(": ")
        return None, [Fault((key,), sentence) if key in values and sentence else Fault((), str(error))]


def _required(field: "dataclasses.Field[Any]") -> bool:
    no_default = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return field.init and no_default
