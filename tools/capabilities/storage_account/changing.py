"""A change of a storage account that exists: more containers, other addresses, a second region. What would need a new one is no
candidate."""

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
    missing = set(old.variables["containers"]) - set(needs.strings("containers"))
    if needs.text("name") not in ("", dict(cloud_of(old).names)["storage"]):
        return "an account keeps its name for life"
    if needs.yes("data_lake") != old.variables["data_lake"]:
        return "an account is a data lake, or is none, for life"
    if len(redundancy) == 2 and "ZRS" in redundancy:
        return "Azure converts to or from zones only on request to its support"
    if missing:
        return f"a change takes no container away, and {', '.join(sorted(missing))} would go with all that is in it"
    return ""
