"""A change of a storage account that exists: containers that come and go, other addresses, a second region. What would need a new one is
no candidate."""

from __future__ import annotations

from tools.capabilities.storage_account.choices import offer
from tools.rules.azure import changes
from tools.rules.azure.checks import cloud_of
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    return changes.stay(old, needs, situation, offer, lambda candidate: _reason(old, needs, candidate))


def _reason(old: Part, needs: Needs, candidate: Candidate) -> str:
    redundancy = {old.variables["redundancy"], dict(candidate.choice)["redundancy"]}
    if needs.text("name") not in ("", dict(cloud_of(old).names)["storage"]):
        return "an account keeps its name for life"
    if needs.yes("data_lake") != old.variables["data_lake"]:
        return "an account is a data lake, or is none, for life"
    if len(redundancy) == 2 and "ZRS" in redundancy:
        return "Azure converts to or from zones only on request to its support"
    return ""


def keep(old: Part, new: Part) -> Part:
    """A container goes with all that is in it, so that is confirmed by itself."""
    kept = changes.keep(old, new)
    gone = [name for name in old.variables["containers"] if name not in kept.variables["containers"]]
    if not gone:
        return kept
    lost = f"{', '.join(gone)} will be deleted, with everything in {'it' if len(gone) == 1 else 'them'}; Azure can restore it for 7 days."
    return kept.model_copy(update={"lets_go": tuple(f'azapi_resource.container["{name}"]' for name in gone), "confirm": lost})
