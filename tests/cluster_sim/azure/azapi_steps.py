"""Does to the simulated Azure what `azapi` does for one resource: look, put, poll, look again, compare, delete.

The provider itself is run elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from azure_site import Direct

POLLS_MAX = 20
VERSION = "2025-01-01"


def create(azure: Direct, id_: str, body: Mapping[str, Any]) -> dict[str, Any]:
    looked = azure.ask("GET", id_, version=VERSION)
    assert looked.status == 404, f"azapi refuses to create what is there: {id_}"
    return put(azure, id_, body)


def put(azure: Direct, id_: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = azure.ask("PUT", id_, body, version=VERSION)
    assert answer.status in (200, 201, 202), (id_, answer.status, answer.body)
    poll(azure, answer.headers)
    shown: dict[str, Any] = azure.json("GET", id_, version=VERSION)
    assert (shown.get("properties") or {}).get("provisioningState", "Succeeded") == "Succeeded", shown
    return shown


def remove(azure: Direct, id_: str) -> None:
    answer = azure.ask("DELETE", id_, version=VERSION)
    assert answer.status in (200, 202, 204), (id_, answer.status, answer.body)
    poll(azure, answer.headers)
    assert azure.ask("GET", id_, version=VERSION).status == 404


def poll(azure: Direct, headers: Mapping[str, str]) -> dict[str, Any]:
    """Until the operation has ended; raises when it failed."""
    where = headers.get("Azure-AsyncOperation") or headers.get("Location")
    if not where:
        return {}
    path = where.removeprefix("https://localhost:4443").split("?")[0]
    for _ in range(POLLS_MAX):
        answer = azure.ask("GET", path, version=None)
        value = json.loads(answer.body) if answer.body else {}
        if answer.status >= 400 or value.get("status") in ("Failed", "Canceled"):
            raise AssertionError(value)
        if answer.status in (200, 204) and value.get("status", "Succeeded") == "Succeeded":
            return dict(value)
        azure.clock.advance(float(answer.headers.get("Retry-After", 10)))
    raise AssertionError(f"The operation at {path} did not end within {POLLS_MAX} looks.")


def drift(configured: Any, shown: Any, path: str = "") -> list[str]:
    """Where a second plan would show a change: what is configured and answered otherwise.

    What is only answered does not count.
    """
    if isinstance(configured, Mapping):
        if not isinstance(shown, Mapping):
            return [path]
        return [d for key, value in configured.items() if value is not None for d in drift(value, shown.get(key), f"{path}.{key}")]
    if isinstance(configured, list):
        if not isinstance(shown, list) or len(shown) != len(configured):
            return [path]
        return [d for n, (a, b) in enumerate(zip(configured, shown, strict=True)) for d in drift(a, b, f"{path}[{n}]")]
    same = configured == shown or (isinstance(configured, str) and isinstance(shown, str) and _same_id(configured, shown))
    return [] if same else [f"{path}: {configured!r} became {shown!r}"]


def _same_id(configured: str, shown: str) -> bool:
    """Azure answers some ids in small letters; the modules ignore their casing."""
    return configured.startswith("/subscriptions/") and configured.lower() == shown.lower()
