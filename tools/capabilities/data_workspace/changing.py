"""A change of a data workspace that exists: more workers, a GPU pool, private endpoints. What would need a new one is no candidate."""

from __future__ import annotations

from tools.capabilities.data_workspace.choices import offer
from tools.rules.azure import changes as azure_changes
from tools.rules.azure.changes import keep
from tools.rules.azure.review import subscription
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot

__all__ = ["keep", "stay"]


def stay(old: Part, needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    found = offer(needs, azure_changes.without_own(old, subscription(snapshot)), site, reserved)
    return azure_changes.staying(old, needs, found, lambda candidate: _reason(old, candidate))


def _reason(old: Part, candidate: Candidate) -> str:
    pools = {pool["name"]: pool for pool in old.variables["pools"]}
    gpu = pools.get("gpu", {}).get("vm_size", "")
    if bool(pools["workers"].get("spot")) != candidate.choice["spot"]:
        return "a node pool stays spot or on demand for life"
    if gpu and gpu != candidate.choice["gpu"]:
        return f"the pool of {gpu} keeps its size for life"
    if old.variables["storage_path"] == "private_endpoint" != candidate.choice["path"]:
        return "private endpoints are not taken away by a change"
    return ""
