"""Reads an ARM path: which scope, which type, which names.

Knows no resource type but how they are written; whether a thing exists is asked elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GROUP_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True)
class Address:
    """A resource, or with `name` empty the collection of a type at a scope."""

    scope: str
    """What the last `/providers/` stands under: a subscription, a group, another resource, or "" for the tenant."""
    type: str
    names: tuple[str, ...]
    """One a type segment; one fewer for a collection."""
    action: str = ""
    """The word after a resource in a POST: `listKeys`."""

    @property
    def name(self) -> str:
        return self.names[-1] if self.names else ""

    @property
    def namespace(self) -> str:
        return self.type.split("/", 1)[0]

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.type.split("/")[1:])

    @property
    def collection(self) -> bool:
        return self.type != GROUP_TYPE and len(self.names) < len(self.segments)

    @property
    def id(self) -> str:
        if self.type == GROUP_TYPE:
            return f"{self.scope}/resourceGroups/{self.name}"
        pairs = "".join(f"/{segment}/{name}" for segment, name in zip(self.segments, self.names, strict=False))
        return f"{self.scope}/providers/{self.namespace}{pairs}"

    @property
    def key(self) -> str:
        return self.id.lower()

    @property
    def subscription(self) -> str:
        found = _SUBSCRIPTION.match(self.scope)
        return found[1] if found else ""

    @property
    def group(self) -> str:
        if self.type == GROUP_TYPE:
            return self.name
        found = _GROUP.match(self.scope)
        return found[1] if found else ""

    @property
    def parent(self) -> Address | None:
        """The resource this one is nested in, if it is nested."""
        if len(self.names) < 2:
            return None
        return Address(self.scope, "/".join((self.namespace, *self.segments[: len(self.names) - 1])), self.names[:-1])

    @property
    def extension(self) -> bool:
        """Whether it stands on another resource rather than in a group or subscription."""
        return "/providers/" in self.scope.lower()

    def child(self, segment: str, name: str) -> Address:
        return Address(self.scope, f"{self.type}/{segment}", (*self.names, name))


_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"/subscriptions/[^/]+/resourceGroups/([^/]+)", re.IGNORECASE)
_GROUP_ONLY = re.compile(r"(/subscriptions/[^/]+)/resourceGroups/([^/]+)", re.IGNORECASE)


def tidy(path: str) -> str:
    """One slash where clients send two, none at the end, and the words ARM itself writes in one way only."""
    path = re.sub(r"/{2,}", "/", path).rstrip("/")
    path = re.sub(r"/subscriptions(?=/|$)", "/subscriptions", path, flags=re.IGNORECASE)
    path = re.sub(r"/resourcegroups(?=/|$)", "/resourceGroups", path, flags=re.IGNORECASE)
    return re.sub(r"/providers(?=/|$)", "/providers", path, flags=re.IGNORECASE)


def read(path: str, types: dict[str, str] | None = None) -> Address | None:
    """The address in a path or id, or None when it is none.

    `types` gives the canonical spelling of known types by their lower-case form.
    """
    path = tidy(path)
    if found := _GROUP_ONLY.fullmatch(path):
        return Address(found[1], GROUP_TYPE, (found[2],))
    scope, slash, rest = path.rpartition("/providers/")
    parts = rest.split("/")
    if not slash or len(parts) < 2:
        return None
    type_ = "/".join((parts[0], *parts[1::2]))
    names = tuple(parts[2::2])
    known = types or {}
    action = ""
    if type_.lower() not in known and len(parts) % 2 == 0 and len(names) >= 1:
        shorter = type_.rsplit("/", 1)[0]
        if shorter.lower() in known:
            action, type_ = parts[-1], shorter
    if "/providers/" in scope and (under := read(scope, known)):
        scope = under.id
    return Address(scope, known.get(type_.lower(), type_), names, action)
