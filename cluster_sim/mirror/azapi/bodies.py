"""Bodies and identifiers of Azure resources: what is sent, what is compared, what is exported. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cluster_sim.mirror.provider import Problem
from cluster_sim.mirror.values import UNKNOWN, Dynamic, has_unknown

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_STEP = re.compile(r"([A-Za-z_][\w-]*|\"[^\"]+\")|\[(\d+|\*|)\]")
_PROVIDERS = re.compile(r"/providers/", re.IGNORECASE)


def split_type(text: str) -> tuple[str, str]:
    """`Microsoft.KeyVault/vaults@2024-11-01` → the type and the API version."""
    kind, mark, version = text.partition("@")
    if not mark or "/" not in kind:
        raise Problem(f"The type must be of the form Namespace/type@api-version, but it is {text!r}.", path=("type",))
    return kind, version


def type_of_id(resource_id: str) -> str:
    """The resource type an identifier speaks of: a chain of type and name after the last `/providers/`."""
    parts = _PROVIDERS.split(resource_id)
    if len(parts) == 1:
        steps = [step for step in resource_id.split("/") if step]
        lowered = [step.lower() for step in steps[::2]]
        return {("subscriptions",): "Microsoft.Resources/subscriptions", ("subscriptions", "resourcegroups"): GROUP_TYPE}.get(
            tuple(lowered), "Microsoft.Resources/tenants"
        )
    namespace, *chain = [step for step in parts[-1].split("/") if step]
    return "/".join([namespace, *chain[::2]])


def build_id(parent_id: str, kind: str, name: str) -> str:
    parent = parent_id.rstrip("/")
    if kind.lower() == GROUP_TYPE.lower():
        return f"{parent}/resourceGroups/{name}"
    above, _, last = kind.rpartition("/")
    if above.lower() == type_of_id(parent).lower() and "/" in above:
        return f"{parent}/{last}/{name}"
    return f"{parent}/providers/{kind}/{name}"


def split_id(resource_id: str) -> tuple[str, str]:
    """The parent and the name."""
    before, _, name = resource_id.rstrip("/").rpartition("/")
    parent = before.rpartition("/")[0]
    found = re.search(r"^(.*)/providers/[^/]+$", parent, re.IGNORECASE)
    return (found[1] if found else parent) or "/", name


def plain(value: Any) -> Any:
    """A configured value as JSON."""
    return value.value if isinstance(value, Dynamic) else value


def merged(base: Any, over: Any) -> Any:
    """`over` laid upon `base`, object by object."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {name: merged(base.get(name), value) for name, value in over.items()}
    return over


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def seen_through(
    configured: Any, answered: Any, *, ignore_casing: bool, ignore_missing: bool, ids: Mapping[str, str], path: str = ""
) -> Any:
    """The configured value as the world has it now: only what was configured is looked at, so what Azure adds is no drift."""

    def look(old: Any, new: Any, more: str) -> Any:
        where = f"{path}.{more}" if path else more
        return seen_through(old, new, ignore_casing=ignore_casing, ignore_missing=ignore_missing, ids=ids, path=where)

    if isinstance(configured, dict) and isinstance(answered, dict):
        by_name = {name.lower(): name for name in answered} if ignore_casing else {}
        found = {}
        for name, value in configured.items():
            there = name if name in answered else by_name.get(name.lower())
            if there is not None:
                found[name] = look(value, answered[there], name)
            elif ignore_missing or value is None:
                found[name] = value
        return found
    if isinstance(configured, list) and isinstance(answered, list) and len(configured) == len(answered):
        key = ids.get(path, "name")
        if all(isinstance(item, dict) and key in item for item in [*configured, *answered]):
            by_id = {item[key]: item for item in answered}
            if all(item[key] in by_id for item in configured):
                return [look(item, by_id[item[key]], "") if isinstance(item, dict) else item for item in configured]
        return [look(old, new, "") for old, new in zip(configured, answered, strict=True)]
    if isinstance(configured, str) and isinstance(answered, str) and ignore_casing and configured.lower() == answered.lower():
        return configured
    # Secrets do not come back: Azure answers null where one was given.
    return configured if answered is None and ignore_missing else answered


def exported(answer: Any, wanted: Any) -> Any:
    """The output: a list of paths keeps the shape of the answer, a map gives each path a name, "*" is everything."""
    wanted = plain(wanted)
    if wanted is None or answer is None:
        return {}
    if isinstance(wanted, dict):
        return {name: find(answer, expression) for name, expression in wanted.items()}
    if "*" in wanted:
        return answer
    result: Any = {}
    for path in wanted:
        steps = path.split(".")
        value = find(answer, path)
        if value is None:
            continue
        for step in reversed(steps):
            value = {step: value}
        result = merged(result, value)
    return result


def find(value: Any, expression: str) -> Any:
    """The part of JMESPath that modules use: names, [n], [*] and []."""
    if expression in ("@", ""):
        return value
    position = 0
    while position < len(expression):
        position += expression[position] == "."
        step = _STEP.match(expression, position)
        if step is None:
            raise Problem(
                f"The stand-in provider does not understand the path {expression!r} in response_export_values.",
                "It understands names, [n] and [*]. Use those, or run this configuration with the released provider.",
            )
        position = step.end()
        name, index = step[1], step[2]
        if name is not None:
            value = value.get(name.strip('"')) if isinstance(value, dict) else None
        elif index in ("*", ""):
            return (
                [found for item in value if (found := find(item, expression[position:].lstrip("."))) is not None]
                if isinstance(value, list)
                else None
            )
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value


def same_location(one: Any, other: Any) -> bool:
    """`East US 2` and `eastus2` are one place."""
    return isinstance(one, str) and isinstance(other, str) and _normal(one) == _normal(other)


def _normal(text: str) -> str:
    return text.replace(" ", "").lower()


def identity_sent(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    if not blocks:
        return {}
    block = blocks[0]
    identity: dict[str, Any] = {"type": block["type"]}
    if block["identity_ids"]:
        identity["userAssignedIdentities"] = {each: {} for each in block["identity_ids"]}
    return {"identity": identity}


def identity_seen(blocks: list[dict[str, Any]], answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not blocks:
        return []
    identity = answer.get("identity") or {}
    block = blocks[0]
    there = identity.get("userAssignedIdentities") or {}
    given = block["identity_ids"]
    same = {each.lower() for each in given or ()} == {each.lower() for each in there}
    kind = str(identity.get("type", block["type"]))
    return [
        {
            # Azure writes "SystemAssigned, UserAssigned" with a space, whoever wrote it without.
            "type": block["type"] if _normal(kind) == _normal(block["type"]) else kind,
            "identity_ids": given if same else list(there),
            "principal_id": identity.get("principalId", ""),
            "tenant_id": identity.get("tenantId", ""),
        }
    ]


def known(value: Any) -> bool:
    return value is not None and value is not UNKNOWN and not has_unknown(value)
