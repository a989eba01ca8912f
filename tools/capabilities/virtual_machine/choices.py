"""Offers places for a virtual machine, and composes the picked one. The arithmetic is in tools.rules."""

from __future__ import annotations

from tools.capabilities.virtual_machine.commands import commands
from tools.capabilities.virtual_machine.variables import configure
from tools.rules.machines import choices as machine_choices
from tools.rules.machines.choices import offer
from tools.values.manifest import Part
from tools.values.offer import PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot

__all__ = ["compose", "offer"]


def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
    made = machine_choices.machines(needs, offer, pick, snapshot, site, reserved)
    return machine_choices.part_of(
        needs,
        machine_choices.candidate_of(offer, pick),
        pick,
        made,
        facts=machine_choices.facts_of(made, needs, snapshot),
        configure=configure(needs),
        commands=commands,
    )
