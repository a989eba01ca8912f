"""A change of a cluster that exists. A release that is no step forward is no candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tools.capabilities import Footing
from tools.capabilities.k3s_cluster.facts import SERVERS
from tools.rules.request.releases import number
from tools.values.manifest import Part
from tools.values.offer import Exclusion, PartOffer
from tools.values.request import Fact
from tools.values.requirements import Needs, Origin
from tools.values.site import Site
from tools.values.situation import Situation

RELEASE = ("release", "release_url", "release_sha256")


def in_place(footing: Footing) -> Footing:
    """The footing with what holds for a cluster besides: which changes it survives, an address only where several servers share it, and
    in production no two servers on one node."""
    stay, keep, understand = footing.stay, footing.keep, footing.understand
    assert stay is not None, "machines can be changed in their place"
    assert keep is not None, "and keep what they are"
    return replace(
        footing,
        understand=lambda facts, site: _as_a_cluster(understand, facts, site),
        stay=lambda old, needs, situation: _stay(stay, old, needs, situation),
        keep=lambda old, new: keep(old, keep_release(old, new)),
    )


def _as_a_cluster(understand: Callable[[tuple[Fact, ...], Site], Needs], facts: tuple[Fact, ...], site: Site) -> Needs:
    needs = understand(facts, site)
    if needs.of(SERVERS).whole("count", 1) == 1:
        return needs.model_copy(update={"virtual_addresses": ()})
    apart = needs.text("environment") == "production"
    groups = tuple(one.model_copy(update={"one_a_node": apart}) if one.name == SERVERS.name else one for one in needs.groups)
    return needs.model_copy(update={"groups": groups})


def _stay(stay: Callable[[Part, Needs, Situation], PartOffer], old: Part, needs: Needs, situation: Situation) -> PartOffer:
    if reason := refusal(old, needs):
        return PartOffer(label=needs.label, candidates=(), exclusions=(Exclusion(subject="this change", reason=reason),))
    return stay(old, needs, situation)


def refusal(old: Part, needs: Needs) -> str:
    """Why the change cannot be; empty where it can."""
    return _step(old.needs.text("release"), wanted_release(old, needs))


def wanted_release(old: Part, needs: Needs) -> str:
    """An upgrade is asked for: what a site names first by now upgrades nothing by itself."""
    said = needs.field("release")
    return str(said.value) if said and said.origin is Origin.SAID else old.needs.text("release")


def keep_release(old: Part, new: Part) -> Part:
    """The release that runs, unless another is asked for. Its workers are then upgraded one by one."""
    if wanted_release(old, new.needs) == new.needs.text("release"):
        return new
    former = {f.name: f for f in old.needs.fields if f.name in RELEASE}
    fields = tuple(former.get(f.name, f) for f in new.needs.fields)
    return new.model_copy(update={"needs": new.needs.model_copy(update={"fields": fields})})


def _step(before: str, after: str) -> str:
    old, new = number(before), number(after)
    if new < old:
        return f"{after} is older than {before}, and Kubernetes does not go back"
    if old[:1] != new[:1] or new[1] - old[1] > 1:
        return f"from {before} to {after} is more than one minor release, and Kubernetes takes them one by one"
    return ""
