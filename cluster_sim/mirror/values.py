"""Terraform's values on the wire: msgpack and back, by type. What the values mean belongs to the schemas.

A type is written as Terraform writes it in JSON: "string", ["list", "number"], ["object", {"a": "bool"}], "dynamic".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import msgpack

Type = Any
"""A string, or a list as above: recursive, so not worth spelling out for a type checker."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        # Code that asks "is it set?" means a known value.
        return False


UNKNOWN: Final = _Unknown()
"""What Terraform will know only after apply."""


@dataclass(frozen=True)
class Dynamic:
    """A value that brings its own type: azapi's `body` and `output`."""

    type: Type
    value: Any


def dynamic(value: Any) -> Dynamic:
    """A value from JSON, with the type Terraform would give the same literal."""
    return Dynamic(type_of(value), value)


def type_of(value: Any) -> Type:
    if value is None or value is UNKNOWN:
        return "dynamic"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return ["tuple", [type_of(item) for item in value]]
    return ["object", {name: type_of(item) for name, item in value.items()}]


def has_unknown(value: Any) -> bool:
    if isinstance(value, Dynamic):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def unpack(data: bytes, of: Type) -> Any:
    return _decode(msgpack.unpackb(data, ext_hook=lambda _code, _data: UNKNOWN, strict_map_key=False), of)


def pack(value: Any, of: Type) -> bytes:
    packed: bytes = msgpack.packb(_encode(value, of), default=_pack_unknown)
    return packed


def _pack_unknown(value: Any) -> Any:
    if value is UNKNOWN:
        return msgpack.ExtType(0, b"\x00")
    raise TypeError(f"{type(value).__name__} is no Terraform value: {value!r}")


def _decode(raw: Any, of: Type) -> Any:
    if raw is None or raw is UNKNOWN:
        return raw
    match of:
        case "dynamic":
            kind = json.loads(raw[0])
            return Dynamic(kind, _decode(raw[1], kind))
        case "number":
            return _number(raw) if isinstance(raw, str) else raw
        case ["list" | "set", item]:
            return [_decode(each, item) for each in raw]
        case ["map", item]:
            return {name: _decode(each, item) for name, each in raw.items()}
        case ["object", members]:
            return {name: _decode(raw.get(name), member) for name, member in members.items()}
        case ["tuple", items]:
            return [_decode(each, item) for each, item in zip(raw, items, strict=True)]
    return raw


def _number(text: str) -> int | float:
    """Numbers that no msgpack number holds exactly arrive as decimal text."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _number_on_wire(value: int | float) -> int | str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float):
        # As decimal text, because Terraform's 0.1 is one tenth and a binary 0.1 is not: they would differ in a plan.
        return repr(value)
    return value if -(2**63) <= value < 2**64 else str(value)


def _encode(value: Any, of: Type) -> Any:
    if value is None or value is UNKNOWN:
        return value
    match of:
        case "dynamic":
            if not isinstance(value, Dynamic):
                value = dynamic(value)
            return None if value.value is None else [json.dumps(value.type).encode(), _encode(value.value, value.type)]
        case "number":
            return _number_on_wire(value)
        case ["list" | "set", item]:
            return [_encode(each, item) for each in value]
        case ["map", item]:
            return {name: _encode(each, item) for name, each in value.items()}
        case ["object", members]:
            return {name: _encode(value.get(name), member) for name, member in members.items()}
        case ["tuple", items]:
            return [_encode(each, item) for each, item in zip(value, items, strict=True)]
    return value
