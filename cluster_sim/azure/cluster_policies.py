"""What a Databricks cluster policy fixes, fills in and forbids of a cluster. Pure; `workspace` says when one is held to it."""

from __future__ import annotations

import re
from typing import Any


def hold_to_policy(cluster: dict[str, Any], rules: dict[str, Any]) -> str:
    """Fills in what a policy fixes. Returns the first thing that it forbids, in Databricks' words; empty when there is none."""
    for path, rule in rules.items():
        value = _at(cluster, path)
        kind = rule["type"]
        if value is None and kind == "fixed":
            _set(cluster, path, rule["value"])
            continue
        if value is None and "defaultValue" in rule and not rule.get("isOptional") and cluster.get("apply_policy_default_values", True):
            _set(cluster, path, rule["defaultValue"])
            continue
        if value is None:
            continue
        if not _allowed(rule, value):
            return f"Validation failed for {path}, the value {value!r} is not allowed by the policy ({kind})."
    return ""


def _allowed(rule: dict[str, Any], value: Any) -> bool:
    kind = rule["type"]
    if kind == "fixed":
        return bool(value == rule["value"])
    if kind in ("allowlist", "blocklist"):
        return bool((value in rule["values"]) == (kind == "allowlist"))
    if kind == "regex":
        return re.fullmatch(rule["pattern"], str(value)) is not None
    if kind == "range":
        return bool(rule.get("minValue", float("-inf")) <= value <= rule.get("maxValue", float("inf")))
    return bool(kind == "unlimited")


def _at(cluster: dict[str, Any], path: str) -> Any:
    if path.startswith(("spark_conf.", "custom_tags.", "spark_env_vars.")):
        head, _, tail = path.partition(".")
        return (cluster.get(head) or {}).get(tail)
    value: Any = cluster
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _set(cluster: dict[str, Any], path: str, value: Any) -> None:
    if path == "cluster_type":
        return
    head, _, tail = path.partition(".")
    if tail:
        cluster.setdefault(head, {})[tail] = value
    else:
        cluster[head] = value
