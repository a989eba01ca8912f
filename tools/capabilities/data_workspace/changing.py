"""A change of a data workspace that exists: more workers, a GPU pool, private endpoints. What would need a new one is no candidate."""

from __future__ import annotations

from tools.capabilities.data_workspace.choices import offer
from tools.capabilities.data_workspace.design import Choice
from tools.rules.azure import changes
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation


def keep(old: Part, new: Part) -> Part:
    """With the addresses of its network as well."""
    kept = changes.keep(old, new)
    return kept.model_copy(update={"variables": {**kept.variables, "address_space": old.variables["address_space"]}})


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
