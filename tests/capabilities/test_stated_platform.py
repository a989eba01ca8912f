"""Where something is to stand, as it was said: it stands there, or whoever asked is told where it can. By every service and every place
that is heard, by rule and by a model that leaves the place out."""

from __future__ import annotations

import pytest

from tests.hearing.facts import said
from tests.hearing.heard import SITE, TODAY
from tools.capabilities import Capability, catalogue, chain
from tools.pipeline.hearing import Hearing
from tools.rules.request.facts import PLATFORM
from tools.values.conversation import Conversation
from tools.values.request import Edit, Edits
from tools.values.requirements import Needs
from tools.values.site import Environment, Networking, Site

PLACES = [(place, f"on {words[0]}") for place, words in PLATFORM.choices]


HUB = "/subscriptions/5e3f8b64-2a7c-4d19-b0f6-91c4d7e2a835/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub"
REACHED = Site(environments=(Environment(name="development", network=Networking(hub=HUB, reached=True)),))
"""Whose machines in Azure can be set up."""


def understood(text: str) -> tuple[Needs, ...]:
    return chain.understand(said(text), REACHED, "ops").parts


@pytest.mark.parametrize(("place", "words"), PLACES)
@pytest.mark.parametrize("service", catalogue().values(), ids=lambda one: one.NAME)
def test_a_service_stands_where_it_was_said_or_it_is_asked(service: Capability, place: str, words: str) -> None:
    [needs] = understood(f"a {service.WORDS[0]} {words}")
    assert needs.capability == service.NAME
    if place in service.ON:
        assert (needs.platform, [one for one in needs.disputed if one == "platform"]) == (place, [])
    else:
        assert "platform" in needs.disputed
        assert needs.problems, "nothing is planned"


@pytest.mark.parametrize(
    ("texts", "platforms"),
    [
        (("a storage account and a web server on proxmox", "storage_account on azure"), ["azure", "proxmox"]),
        (("a web server", "also a storage account in azure"), ["proxmox", "azure"]),
        (("a redis and a storage account in Azure", "redis on proxmox"), ["proxmox", "azure"]),
        (("a VM", "and a storage account in westeurope"), ["proxmox", "azure"]),
        (("a storage account in westeurope and a VM",), ["azure", "proxmox"]),
        (("a VM and a storage account in westeurope",), ["azure", "azure"]),
        (("a VM in West Europe",), ["azure"]),
        (("a storage account in westeurope and a VM on network 20",), ["azure", "proxmox"]),
    ],
)
def test_a_place_for_one_of_several_moves_none_of_the_others(texts: tuple[str, ...], platforms: list[str]) -> None:
    parts = chain.understand(said(*texts), Site(), "ops").parts
    assert [(part.platform, part.problems) for part in parts] == [(platform, ()) for platform in platforms]


def one_model(*edits: Edit) -> Edits:
    return Edits(edits=(Edit(do="add", item="vm", name="web_server", quote="web servers"), *edits))


@pytest.mark.parametrize(
    "heard",
    [
        one_model(),
        one_model(Edit(do="set", item="vm", name="count", value="2", quote="2 web servers in Azure")),
        one_model(Edit(do="set", name="environment", value="development", quote="Azure for development")),
        Edits(),
    ],
)
def test_a_model_that_leaves_the_place_out_moves_nothing(heard: Edits) -> None:
    def by_model(text: str, now: Conversation, by_rule: Edits) -> Edits:
        return heard

    hearing = Hearing(SITE, TODAY, by_model=by_model)
    hearing.hear("2 web servers in Azure for development, on network 20")
    assert hearing.now.requirements is not None
    assert [part.disputed for part in hearing.now.requirements.parts] == [("platform",)]
