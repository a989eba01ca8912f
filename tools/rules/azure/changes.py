"""A change of what exists in Azure: the new part keeps the old one's names and addresses. What Azure cannot change in place is no candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tools.rules.azure import review as azure_review
from tools.rules.azure.names import RULES, check_key
from tools.rules.machines.machines import text
from tools.values.manifest import Command, Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer
from tools.values.requirements import Needs
from tools.values.snapshot import SubscriptionSnapshot

KEPT = ("subscription_id", "location", "names", "address_space")


def keep(old: Part, new: Part) -> Part:
    """The new part, called and placed as the old one is."""
    variables = {**new.variables, **{name: old.variables[name] for name in KEPT if name in old.variables}}
    names = {
        new.variables["names"][key]: old.variables["names"][key]
        for key in old.variables["names"]
        if key in new.variables["names"]
    }
    part = new.model_copy(
        update={
            "name": old.name,
            "variables": variables,
            "resources": tuple(_resource(one, names) for one in new.resources),
            "commands": tuple(_command(one, names) for one in new.commands),
        }
    )
    return azure_review.owning(part, ids(old))


def ids(part: Part) -> tuple[str, ...]:
    """ARM ids of what stands on names that are unique in the subscription or in all of Azure, and of the cluster, whose quota is used already."""
    group = f"/subscriptions/{part.variables['subscription_id']}/resourceGroups/{part.variables['names']['resource_group']}"
    inside = ((RULES[kind].type, name) for kind, name in part.variables["names"].items() if kind in RULES and RULES[kind].type)
    return (group, *(f"{group}/providers/{type_}/{name}" for type_, name in inside if not type_.endswith("resourceGroups")))


def without_own(old: Part, snapshot: SubscriptionSnapshot) -> SubscriptionSnapshot:
    """The subscription as if the part's own global names were free: they are in nobody's way but others'."""
    own = {check_key(kind, name).lower() for kind, name in old.variables["names"].items() if kind in RULES}
    return snapshot.model_copy(update={"names_taken": tuple(n for n in snapshot.names_taken if n.lower() not in own)})


def staying(old: Part, needs: Needs, found: PartOffer, reason: Callable[[Candidate], str]) -> PartOffer:
    """Of what is offered, that which Azure can make of what exists; `reason` says of a candidate why it cannot."""
    region = str(old.variables["location"])
    if text(needs, "region") != region:
        moved = Exclusion(
            subject=f"region {text(needs, 'region')}", reason=f"it exists in {region}, and Azure moves nothing between regions"
        )
        return found.model_copy(
            update={
                "candidates": (),
                "exclusions": (moved,),
                "counter_offer": "Ask for a new one there, and remove this one afterwards.",
            }
        )
    kept = tuple(c for c in found.candidates if not reason(c))
    shut = tuple(Exclusion(subject=c.title, reason=reason(c)) for c in found.candidates if reason(c))
    counter = found.counter_offer if kept or not found.candidates else "Ask for a new one, and remove this one afterwards."
    return found.model_copy(update={"candidates": kept, "exclusions": (*shut, *found.exclusions), "counter_offer": counter})


def _resource(one: Resource, names: Mapping[str, str]) -> Resource:
    return one.model_copy(update={"name": _renamed(one.name, names), "where": _renamed(one.where, names)})


def _command(one: Command, names: Mapping[str, str]) -> Command:
    return one.model_copy(update={"argv": tuple(_renamed(word, names) for word in one.argv)})


def _renamed(word: str, names: Mapping[str, str]) -> str:
    for new, old in sorted(names.items(), key=lambda pair: -len(pair[0])):
        if new in word:
            return word.replace(new, old)
    return word
