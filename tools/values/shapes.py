"""The shapes of what is stored. Every stored value says which shape of its kind it has; an older one is brought up to the newest when it is
read, step by step, by the table in tools.values.upcasters. What is stored is never rewritten for it: a record says what it said when it
was approved.

A new field that has a default needs no new shape. Anything else does (a field that is renamed, dropped or required, a default that
changes): write what was in the old shape into the new one there, and add a revision in tools/ledger/migrations, by which an older Berth
sees that the ledger is too new for it. `tests/stored` keeps what older shapes look like.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import TypeVar

from pydantic import ValidationError

from tools.values.trouble import RequestProblem
from tools.values.upcasters import UPCASTERS
from tools.values.value import Json, Record, Value

SHAPE = "shape"
"""The key. What was stored before there were shapes has none, and the first."""

V = TypeVar("V", bound=Value)


class Unreadable(RequestProblem):
    """Something that is stored cannot be read by this Berth. The sentence says what, why, and what can be done."""


def kind_of(value: Value | type[Value]) -> str:
    return (value if isinstance(value, type) else type(value)).__name__.lower()


def shape_of(kind: str) -> int:
    """The newest."""
    return 1 + len(UPCASTERS.get(kind, ()))


def with_shape(kind: str, said: Mapping[str, Json]) -> dict[str, Json]:
    return {SHAPE: shape_of(kind), **said}


def written(value: Value) -> str:
    """As it is stored: its shape, and what it says. A record stays in the shape that it was recorded in."""
    recorded = value.recorded if isinstance(value, Record) else None
    shape, said = recorded or (shape_of(kind_of(value)), value.said())
    return json.dumps({SHAPE: shape, **said}, ensure_ascii=False, allow_nan=False)


def read(kind: type[V], text: str, what: str) -> V:
    """The value that was stored; `what` is its name in a sentence. Raises Unreadable."""
    stored = loaded(text, what)
    try:
        value = kind.model_validate(brought_up(kind_of(kind), stored, what))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise _damaged(what, f"{where or 'it'} is not as it must be") from error
    if isinstance(value, Record):
        value.recorded_as(stored.get(SHAPE, 1), {name: said for name, said in stored.items() if name != SHAPE})
    return value


def loaded(text: str, what: str) -> dict[str, Json]:
    """What is stored, as it stands there. Raises Unreadable when it is no JSON object."""
    try:
        stored = json.loads(text)
    except ValueError as error:
        raise _damaged(what, "it is no JSON") from error
    if not isinstance(stored, dict) or not isinstance(stored.get(SHAPE, 1), int):
        raise _damaged(what, "it is no value of ours")
    return stored


def brought_up(kind: str, stored: Mapping[str, Json], what: str) -> dict[str, Json]:
    """What is stored, in the newest shape. Raises Unreadable when its own is newer than that, or it is not in the shape that it says."""
    value = {name: said for name, said in stored.items() if name != SHAPE}
    shape, newest = int(stored.get(SHAPE, 1)), shape_of(kind)
    if not 1 <= shape <= newest:
        raise Unreadable(
            "This Berth is too old.",
            f"{what} was written by a newer one: its {kind} has shape {shape}, and this Berth reads up to {newest}.",
            "Start the newer Berth.",
        )
    try:
        for upcaster in UPCASTERS.get(kind, ())[shape - 1 :]:
            value = upcaster(deepcopy(value))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(what, f"it is not in the shape {shape} that it says") from error
    return value


def _damaged(what: str, why: str) -> Unreadable:
    return Unreadable(
        "Something stored cannot be read.",
        f"{what} is damaged: {why}.",
        "Everything else goes on: say list to see the runs. If nobody edited it, report it.",
    )
