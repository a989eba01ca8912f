"""A request for machines through the chain of values, as short functions for tests."""

from __future__ import annotations

from collections.abc import Callable

from clusters import NOTHING, SITE, facts, four_nodes

from tools.capabilities import chain
from tools.rules.machines.changes import stay
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest, Part
from tools.values.offer import Offer, Proposal
from tools.values.request import Item, Request
from tools.values.requirements import Requirements
from tools.values.review import Review, Severity
from tools.values.site import Reserved
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot

POSTGRESQL = {"users": "100", "environment": "production", "network": "20"}
VM = {"cpu_count": "4", "memory": "8 GB", "disk": "60 GB", "network": "20", "environment": "development"}
WEB = {"count": "ten", "network": "20", "environment": "staging"}


def situation(snapshot: ClusterSnapshot, reserved: Reserved = NOTHING) -> Situation:
    return Situation({"proxmox": snapshot}, SITE, reserved)


def required(capability: str, said: dict[str, str]) -> Requirements:
    requirements = chain.understand(Request(items=(Item(capability=capability, label=capability, facts=facts(**said)),)), SITE, "operator")
    assert requirements.complete
    return requirements


def offered(capability: str, said: dict[str, str], snapshot: ClusterSnapshot, reserved: Reserved = NOTHING) -> tuple[Requirements, Offer]:
    requirements = required(capability, said)
    return requirements, chain.offer(requirements, situation(snapshot, reserved))


def composed(
    capability: str,
    said: dict[str, str],
    snapshot: ClusterSnapshot | None = None,
    reserved: Reserved = NOTHING,
    proposal: Callable[[Offer], Proposal | None] = pick_by_rule,
) -> Manifest:
    snapshot = snapshot or four_nodes()
    requirements, offer = offered(capability, said, snapshot, reserved)
    return chain.compose(requirements, offer, proposal(offer), situation(snapshot, reserved))


def grown(old: Manifest, said: dict[str, str], snapshot: ClusterSnapshot) -> Manifest | str:
    """A change as it goes through the chain: offered in place, composed, kept. Or why not, and what would fit."""
    requirements = required("virtual_machine", said)
    part_offer = stay(only(old), requirements.parts[0], situation(snapshot))
    if not part_offer.candidates:
        return f"{part_offer.exclusions[0].reason} | {part_offer.counter_offer}"
    offer = Offer(requirements_digest=requirements.digest, snapshot_digests=(), parts=(part_offer,))
    return chain.compose(requirements, offer, pick_by_rule(offer), situation(snapshot), old.digest, old)


def reviewed(manifest: Manifest, snapshot: ClusterSnapshot | None = None, reserved: Reserved = NOTHING) -> Review:
    return chain.review(manifest, situation(snapshot or four_nodes(), reserved))


def only(manifest: Manifest) -> Part:
    return manifest.parts[0]


def spoilt(manifest: Manifest, **changes: object) -> Manifest:
    """The same manifest with its first machine changed."""
    part = only(manifest)
    machines = (part.machines[0].model_copy(update=changes), *part.machines[1:])
    return manifest.model_copy(update={"parts": (part.model_copy(update={"machines": machines}),)})


def errors(review: Review) -> list[str]:
    return [f.check for f in review.findings if f.severity is Severity.ERROR]
