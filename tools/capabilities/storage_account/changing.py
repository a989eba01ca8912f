"""A change of a storage account that exists: more containers, other addresses, a second region. What would need a new one is no candidate."""

from __future__ import annotations

from tools.capabilities.storage_account.choices import offer
from tools.rules.azure import changes as azure_changes
from tools.rules.azure.changes import keep
from tools.rules.azure.review import subscription
from tools.rules.machines.machines import strings, text
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot

__all__ = ["keep", "stay"]


def stay(old: Part, needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    found = offer(needs, azure_changes.without_own(old, subscription(snapshot)), site, reserved)
    return azure_changes.staying(old, needs, found, lambda candidate: _reason(old, needs, candidate))


def _reason(old: Part, needs: Needs, candidate: Candidate) -> str:
    lake = needs.field("data_lake")
    redundancy = {old.variables["redundancy"], candidate.choice["redundancy"]}
    missing = set(old.variables["containers"]) - set(strings(needs, "containers"))
    if text(needs, "name") not in ("", old.variables["names"]["storage"]):
        return "an account keeps its name for life"
    if bool(lake and lake.value) != old.variables["data_lake"]:
        return "an account is a data lake, or is none, for life"
    if len(redundancy) == 2 and "ZRS" in redundancy:
        return "Azure converts to or from zones only on request to its support"
    if missing:
        return f"a change takes no container away, and {', '.join(sorted(missing))} would go with all that is in it"
    return ""
