"""Offers places for a PostgreSQL database, and composes the picked one. The arithmetic is in tools.rules."""

from __future__ import annotations

from tools.capabilities.postgresql.commands import commands
from tools.capabilities.postgresql.variables import configure
from tools.rules.machines import choices as machine_choices
from tools.rules.machines.choices import offer
from tools.values.manifest import Part, Secret
from tools.values.offer import PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot

__all__ = ["compose", "offer"]


def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
    made = machine_choices.machines(needs, offer, pick, snapshot, site, reserved)
    facts = machine_choices.facts_of(made, needs, snapshot)
    return machine_choices.part_of(
        needs,
        machine_choices.candidate_of(offer, pick),
        pick,
        made,
        facts=facts,
        configure=configure(made, needs, str(facts["subnet"])),
        secrets=(Secret(name="database_password", kind="password"),),
        commands=commands,
    )
