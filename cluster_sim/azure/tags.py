"""The tags of any resource, as a resource of their own: `{scope}/providers/Microsoft.Resources/tags/default`.

A subscription's own tags are not simulated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cluster_sim.azure import changes, errors
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.login import Caller
from cluster_sim.azure.store import Resource
from cluster_sim.http import Answer, Request, json_answer

_TAGS = re.compile(r"(?P<scope>.+)/providers/Microsoft\.Resources/tags/default", re.IGNORECASE)


def answer(cloud: Cloud, request: Request, path: str, caller: Caller) -> Answer | None:
    found = _TAGS.fullmatch(path)
    address = cloud.address(found["scope"]) if found else None
    kind = cloud.kind(address.type) if address else None
    if address is None or kind is None:
        return None
    resource = cloud.find(address.id)
    if resource is None:
        raise changes.missing(cloud, address)
    if request.method == "GET":
        return json_answer(_show(resource))
    old = dict(resource.body.get("tags") or {})
    if request.method == "DELETE":
        new: dict[str, str] = {}
    elif request.method in ("PUT", "PATCH"):
        new = _changed(request, old)
    else:
        raise errors.not_simulated(request.method, path)
    changes.retag(cloud, address, kind, resource, new, caller)
    return Answer(200) if request.method == "DELETE" else json_answer(_show(resource))


def _changed(request: Request, old: dict[str, str]) -> dict[str, str]:
    try:
        body = request.json
    except ValueError as problem:
        raise errors.invalid_content(f"The body is not JSON: {problem}") from None
    given = ((body or {}).get("properties") or {}).get("tags") or {} if isinstance(body, Mapping) else {}
    operation = str(body.get("operation", "Replace")) if isinstance(body, Mapping) and request.method == "PATCH" else "Replace"
    if operation == "Merge":
        return old | given
    if operation == "Delete":
        return {k: v for k, v in old.items() if not (k in given and given[k] in (v, "", None))}
    if operation == "Replace":
        return dict(given)
    raise errors.invalid_content(f"The operation '{operation}' is not one of Merge, Replace and Delete.")


def _show(resource: Resource) -> dict[str, Any]:
    return {
        "id": f"{resource.id}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(resource.body.get("tags") or {})},
    }
