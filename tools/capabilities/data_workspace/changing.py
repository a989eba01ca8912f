"""A change of a data workspace that exists: more workers, a GPU pool, private endpoints. What would need a new one is no candidate."""

from __future__ import annotations

from tools.capabilities.data_workspace.choices import offer
from tools.capabilities.data_workspace.design import Choice
from tools.rules.azure import changes
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.value import Json


def keep(old: Part, new: Part) -> Part:
    """With the addresses of its network as well, joined to what it is joined to, and with what a node pool and a budget keep for life."""
    kept = changes.keep(old, new)
    before = {pool["name"]: pool for pool in old.variables["pools"]}
    pools = [_keep_pool(before[pool["name"]], pool) if pool["name"] in before else pool for pool in kept.variables["pools"]]
    since = old.variables.get("budget_from") or kept.variables["budget_from"]
    same = {"address_space": old.variables["address_space"], "pools": pools, "budget_from": since}
    ranges = {name: old.variables[name] for name in ("pod_cidr", "service_cidr") if name in old.variables}
    joined = {name: old.variables.get(name, "") for name in ("hub_id", "dns_zones_id", "kubernetes_version")}
    return kept.model_copy(update={"variables": {**kept.variables, **same, **ranges, **joined}})


def _keep_pool(old: dict[str, Json], new: dict[str, Json]) -> dict[str, Json]:
    """Zones and disks are settled when a pool is made."""
    kept = {name: old[name] for name in ("zones", "os_disk", "disk_gib") if name in old}
    return {name: value for name, value in new.items() if name not in ("zones", "os_disk", "disk_gib")} | kept


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    return changes.stay(old, needs, situation, offer, lambda candidate: _reason(old, candidate))


def _reason(old: Part, candidate: Candidate) -> str:
    pools = {pool["name"]: pool for pool in old.variables["pools"]}
    gpu, chosen = pools.get("gpu", {}).get("vm_size", ""), Choice.of(candidate)
    if bool(pools["workers"].get("spot")) != chosen.spot:
        return "a node pool stays spot or on demand for life"
    if gpu and gpu != chosen.gpu:
        return f"the pool of {gpu} keeps its size for life"
    if old.variables["storage_path"] == "private_endpoint" != chosen.path:
        return "private endpoints are not taken away by a change"
    return ""
