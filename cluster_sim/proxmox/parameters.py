"""The parameters an address takes, and Proxmox's words when they are wrong. Written by hand, for the addresses served here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .errors import bad_parameters

UNDEFINED = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"


@dataclass(frozen=True)
class Parameter:
    read: Callable[[str], Any]
    """Raises ValueError with Proxmox's words."""
    required: bool = False
    many: bool = False
    requires: str = ""
    """Another one, without which it may not be said."""

    @property
    def must(self) -> Parameter:
        return replace(self, required=True)

    def with_(self, other: str) -> Parameter:
        return replace(self, requires=other)


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "on", "yes", "true"):
        return True
    if text.lower() in ("0", "off", "no", "false"):
        return False
    raise ValueError(f"type check ('boolean') failed - got '{text}'")


def integer(minimum: int | None = None, maximum: int | None = None) -> Parameter:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text):
            raise ValueError(f"type check ('integer') failed - got '{text}'")
        if minimum is not None and int(text) < minimum:
            raise ValueError(f"value must have a minimum value of {minimum}")
        if maximum is not None and int(text) > maximum:
            raise ValueError(f"value must have a maximum value of {maximum}")
        return int(text)

    return Parameter(read)


def number(minimum: float, maximum: float | None = None) -> Parameter:
    def read(text: str) -> str:
        if not re.fullmatch(r"\d+(\.\d+)?", text):
            raise ValueError(f"type check ('number') failed - got '{text}'")
        if float(text) < minimum:
            raise ValueError(f"value must have a minimum value of {minimum:g}")
        if maximum is not None and float(text) > maximum:
            raise ValueError(f"value must have a maximum value of {maximum:g}")
        return text

    return Parameter(read)


def choice(*values: str) -> Parameter:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"value '{text}' does not have a value in the enumeration '{', '.join(values)}'")
        return text

    return Parameter(read)


def matching(pattern: str, words: str = "value does not match the regex pattern") -> Parameter:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(words)
        return text

    return Parameter(read)


_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
TEXT = Parameter(str)
BOOLEAN = Parameter(_boolean)
INTEGER = integer()
VMID = integer(100, 999_999_999)
DNS_NAME = matching(rf"{_LABEL}(\.{_LABEL})*", "invalid format - value does not look like a valid DNS name\n")
STORAGE = matching(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", "invalid format - storage ID contains illegal characters\n")
NODE = matching(r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?", "invalid format - value does not look like a valid node name\n")
POOL = matching(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}", "invalid format - value does not look like a valid pool name\n")
LIST = Parameter(str, many=True)
WORDS = Parameter(lambda text: [text], many=True)
"""A list whose parts may have commas and spaces in them: only the repeated name separates them."""

Takes = Mapping[str, Parameter]


def check(given: Sequence[tuple[str, str]], takes: Takes, families: Mapping[str, Parameter] | None = None) -> dict[str, Any]:
    """The parameters as values, or every complaint at once. `families`: patterns of names, like `net[n]`."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, text in given:
        found = takes.get(name) or next((p for pattern, p in (families or {}).items() if re.fullmatch(pattern, name)), None)
        if found is None:
            errors[name] = UNDEFINED
            continue
        try:
            value = found.read(text)
        except ValueError as why:
            errors[name] = str(why)
            continue
        # Lists come as repeated names (proxmoxer) or in one text.
        if found.many and name in values:
            values[name] = values[name] + value if isinstance(value, list) else f"{values[name]},{value}"
        else:
            values[name] = value
    for name, p in takes.items():
        # The complaint is the other one's (pve-common's JSONSchema.pm, read 2026-11-30).
        if name in values and p.requires and p.requires not in values:
            errors[p.requires] = f"missing property - '{name}' requires this property"
    errors |= {name: MISSING for name, p in takes.items() if p.required and name not in values and name not in errors}
    if errors:
        raise bad_parameters(errors)
    return values


def split_list(text: str) -> list[str]:
    return [part for part in re.split(r"[,;\s\0]+", text) if part]
