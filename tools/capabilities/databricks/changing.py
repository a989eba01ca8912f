"""A change of a Databricks workspace that exists: more or fewer workers, other times. What would need a new one is no candidate."""

from __future__ import annotations

from tools.capabilities.databricks.choices import nodes, offer
from tools.capabilities.databricks.variables import holds
from tools.rules.azure import changes
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation


def keep(old: Part, new: Part) -> Part:
    """In the network that it has, and with everything inside it called as it is."""
    kept = changes.keep(old, new)
    named = ("address_space", "subnets", "managed_resource_group_name", "hub_id", "dns_zones_id")
    network = {name: old.variables[name] for name in named if name in old.variables}
    return kept.model_copy(update={"variables": {**kept.variables, **network}})


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    size, workers = _pool(old)
    return changes.stay(old, needs, situation, offer, lambda one: _reason(old, needs, one), nodes(size, workers))


def _pool(old: Part) -> tuple[str, int]:
    assert old.configure is not None, "a workspace is configured from inside"
    pool = old.configure.variables["pool"]
    return str(pool["node_type_id"]), int(pool["max_capacity"]) - 1


def _reason(old: Part, needs: Needs, candidate: Candidate) -> str:
    size, _ = _pool(old)
    if dict(candidate.choice)["size"] != size:
        return f"the pool keeps its node type {size} for life"
    most = min(holds(old.variables["subnets"][name]) for name in ("host", "container")) - 1
    if needs.whole("max_workers") > most:
        return f"its subnets have addresses for {most} workers and a driver, and the subnets of a workspace keep their size"
    return ""
