"""A change of what exists in Azure: the new part keeps the old one's names and addresses. What Azure cannot change in place is no
candidate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tools.rules.azure.checks import cloud_of
from tools.rules.azure.names import RULES, check_key
from tools.rules.azure.placing import nothing
from tools.rules.azure.sizes import Claim, quota_names
from tools.values.manifest import Cloud, Command, Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import Quota
from tools.values.value import Json


def keep(old: Part, new: Part) -> Part:
    """The new part, called and placed as the old one is."""
    before, after = cloud_of(old), cloud_of(new)
    called = dict(before.names)
    kept = tuple((kind, called.get(kind, name)) for kind, name in after.names)
    names = {name: called[kind] for kind, name in after.names if kind in called}
    cloud = after.model_copy(update={"subscription_id": before.subscription_id, "region": before.region, "names": kept})
    return new.model_copy(
        update={
            "cloud": cloud,
            "resources": tuple(_resource(one, names) for one in new.resources),
            "commands": tuple(_command(one, names) for one in new.commands),
            "variables": _within(new.variables, names),
            "configure": new.configure and new.configure.model_copy(update={"variables": _within(new.configure.variables, names)}),
            "owned": ids(before),
        }
    )


def ids(cloud: Cloud) -> tuple[str, ...]:
    """ARM ids of what stands on names that are unique in the subscription or in all of Azure, and of the cluster, whose quota is used
    already."""
    names = dict(cloud.names)
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{names['resource_group']}"
    inside = ((RULES[kind].type, name) for kind, name in cloud.names if kind in RULES and kind != "resource_group")
    return (group, *(f"{group}/providers/{type_}/{name}" for type_, name in inside if type_))


def stay(
    old: Part,
    needs: Needs,
    situation: Situation,
    offer: Callable[[Needs, Situation], PartOffer],
    reason: Callable[[Candidate], str],
    machines: Sequence[Claim] = (),
) -> PartOffer:
    """Of what is offered, that which Azure can make of what exists; `reason` says of a candidate why it cannot. `machines` are those that
    it has at the most now."""
    region = cloud_of(old).region
    if needs.text("region") != region:
        moved = f"it exists in {region}, and Azure moves nothing between regions"
        return nothing(needs, f"region {needs.text('region')}", moved, "Ask for a new one there, and remove this one afterwards.")
    found = offer(needs, _without_own(old, situation, machines))
    kept = tuple(c for c in found.candidates if not reason(c))
    shut = tuple(Exclusion(subject=c.title, reason=reason(c)) for c in found.candidates if reason(c))
    counter = found.counter_offer if kept or not found.candidates else "Ask for a new one, and remove this one afterwards."
    return found.model_copy(update={"candidates": kept, "exclusions": (*shut, *found.exclusions), "counter_offer": counter})


def _without_own(old: Part, situation: Situation, machines: Sequence[Claim]) -> Situation:
    """As if the part's own global names were free, and the cores of its own machines: they are in nobody's way but others'."""
    seen = situation.subscription
    own = {check_key(kind, name).lower() for kind, name in cloud_of(old).names if kind in RULES}
    cores = quota_names(machines, seen, cloud_of(old).region)
    quotas = (_freed(one, cores.get(one.name.lower(), 0.0)) if one.region == cloud_of(old).region else one for one in seen.quotas)
    free = seen.model_copy(
        update={"names_taken": tuple(n for n in seen.names_taken if n.lower() not in own), "quotas": tuple(quotas)},
    )
    return replace(situation, snapshots={**situation.snapshots, "azure": free})


def _freed(quota: Quota, own: float) -> Quota:
    """Machines that are stopped are not counted as in use, so never below nothing."""
    return quota.model_copy(update={"used": max(0.0, quota.used - own)}) if own else quota


def _within(value: Json, names: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return _renamed(value, names)
    if isinstance(value, Mapping):
        return {key: _within(inner, names) for key, inner in value.items()}
    return [_within(inner, names) for inner in value] if isinstance(value, list | tuple) else value


def _resource(one: Resource, names: Mapping[str, str]) -> Resource:
    return one.model_copy(update={"name": _renamed(one.name, names), "where": _renamed(one.where, names)})


def _command(one: Command, names: Mapping[str, str]) -> Command:
    return one.model_copy(update={"argv": tuple(_renamed(word, names) for word in one.argv)})


def _renamed(word: str, names: Mapping[str, str]) -> str:
    """With every new name in it replaced by the old one; the longest first, for one may begin another."""
    new = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(new, lambda found: names[found[0]], word) if new else word
