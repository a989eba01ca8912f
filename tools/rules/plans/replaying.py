"""Where two JSON values differ first: what was recorded, and what comes of the same again."""

from __future__ import annotations

from tools.values.value import Json

SHOWN_MAX = 120
NOTHING = object()


def first_difference(recorded: Json, again: Json, path: str = "") -> tuple[str, str, str] | None:
    """(path, what was recorded, what it is now), in the order of names and places; None when they are the same."""
    if isinstance(recorded, dict) and isinstance(again, dict):
        pairs = [
            (f"{path}.{name}".lstrip("."), recorded.get(name, NOTHING), again.get(name, NOTHING)) for name in sorted({*recorded, *again})
        ]
    elif isinstance(recorded, list) and isinstance(again, list):
        long = max(len(recorded), len(again))
        one, two = (side + [NOTHING] * (long - len(side)) for side in (recorded, again))
        pairs = [(f"{path}[{place}]", *both) for place, both in enumerate(zip(one, two, strict=True))]
    else:
        same = type(recorded) is type(again) and recorded == again
        return None if same else (path, _shown(recorded), _shown(again))
    return next((found for where, one, two in pairs if (found := first_difference(one, two, where))), None)


def _shown(value: Json) -> str:
    return "nothing" if value is NOTHING else repr(value)[:SHOWN_MAX]
