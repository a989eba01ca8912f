"""A change of an Azure OpenAI account that exists: deployments that come, grow, shrink and go. What would need a new one is no
candidate."""

from __future__ import annotations

from tools.capabilities.azure_openai import choices
from tools.capabilities.azure_openai.choices import KINDS, Way, short, versions, way
from tools.rules.azure import changes
from tools.values.manifest import Part
from tools.values.offer import PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.value import Json


def keep(old: Part, new: Part) -> Part:
    """In the network that it has. A deployment that is not asked for any more goes; there is nothing in it."""
    kept = changes.keep(old, new)
    left = {str(one["name"]) for one in new.variables["deployments"]}
    gone = (str(one["name"]) for one in old.variables["deployments"] if one["name"] not in left)
    network: dict[str, Json] = {name: old.variables[name] for name in ("address_space", "hub_id", "dns_zones_id") if name in old.variables}
    variables = {**kept.variables, **network}
    return kept.model_copy(update={"variables": variables, "lets_go": tuple(f'azapi_resource.deployment["{name}"]' for name in gone)})


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    there = {str(one["model"]): one for one in old.variables["deployments"]}
    allowed = KINDS[needs.text("residency")]
    moved = next((name for name, one in there.items() if str(one["sku"]) not in allowed), "")

    def offer(needs: Needs, situation: Situation) -> PartOffer:
        region, seen = needs.text("region"), situation.subscription

        def find(model: str, kind: str, capacity: int) -> Way:
            if model not in there:
                return way(region, model, kind, capacity, seen)
            return _as_it_is(there[model], region, kind, capacity, seen)

        return choices.offer(needs, situation, find)

    def reason(_: object) -> str:
        return f"the deployment of {moved} works on prompts elsewhere, and it keeps its kind for life" if moved else ""

    return changes.stay(old, needs, situation, offer, reason)


def _as_it_is(one: Json, region: str, kind: str, capacity: int, seen: SubscriptionSnapshot) -> Way:
    """Its kind for life, its version until somebody says another; what it has of the quota is its own already."""
    model, version = str(one["model"]), str(one["version"])
    if kind != one["sku"]:
        return Way(model, kind, reason=f"it is deployed as {one['sku']}, and a deployment keeps its kind for life")
    found = versions(model, kind, region, seen)
    more = capacity - int(one["capacity_thousands"])
    return Way(
        model, kind, version if version in found or not found else found[0], short(region, model, kind, more, seen) if more > 0 else ""
    )
