"""What is installed in the cluster besides k3s itself: each a HelmChart, a manifest that k3s applies and its Helm controller carries out.

Which charts there are is data (tools/data/k3s-charts.csv). None is asked for its newest version here: that is the repository's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tools.data import table
from tools.values.value import Json


@dataclass(frozen=True)
class AddOn:
    name: str
    chart: str
    repository: str
    namespace: str
    needs: tuple[str, ...]
    """Others that must be there."""
    packages: tuple[str, ...]
    """Debian's, on every node."""


ADD_ONS = {
    row["add_on"]: AddOn(
        row["add_on"], row["chart"], row["repository"], row["namespace"], tuple(row["with"].split()), tuple(row["packages"].split())
    )
    for row in table("k3s-charts")
}
VALUES: dict[str, dict[str, Json]] = {"cert-manager": {"crds": {"enabled": True}}}
"""What a chart must be told to work at all."""
TRIES_MAX = 10
"""Of a chart's job, each after a longer pause than the one before: half an hour in all. Rancher's fails until cert-manager is there."""


def with_needed(names: Iterable[str]) -> tuple[str, ...]:
    """Each behind what it needs, once."""
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys((*with_needed(ADD_ONS[name].needs), name))
    return tuple(found)


def packages_of(names: Iterable[str]) -> list[str]:
    return sorted({package for name in names for package in ADD_ONS[name].packages})


def manifest(name: str, more: dict[str, Json]) -> dict[str, str]:
    """One file for the folder of manifests. JSON is YAML, and has no second reading."""
    one, values = ADD_ONS[name], VALUES.get(name, {}) | more
    spec = {"repo": one.repository, "chart": one.chart, "targetNamespace": one.namespace, "createNamespace": True}
    # k3s's own is 1000 tries (docs.k3s.io/helm, read 2026-11-30): what cannot be had would be tried for days, and never count as failed.
    spec["backOffLimit"] = TRIES_MAX
    if values:
        spec["valuesContent"] = json.dumps(values, sort_keys=True)
    thing = {"apiVersion": "helm.cattle.io/v1", "kind": "HelmChart", "metadata": {"name": name, "namespace": "kube-system"}, "spec": spec}
    return {"name": name, "content": json.dumps(thing, indent=1, sort_keys=True)}
