"""The card of a plan: what a person must know before approving it, read in a minute. Plans are made of real manifests; Terraform's own part
of them is made up here, as it would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from clusters import SITE, facts, four_nodes
from machine_chain import POSTGRESQL, VM, WEB, reviewed, situation

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.machines.registering import registering
from tools.rules.plans.card import Before, card_of
from tools.rules.plans.difference import difference
from tools.rules.plans.picking import pick_by_rule
from tools.rules.words import telling
from tools.rules.words.rendering import draw
from tools.values.manifest import Manifest
from tools.values.plan import Change, PartPlan, Plan
from tools.values.request import Item, Request
from tools.values.site import NameServer

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
REDIS = {"data_size": "2 GB", "environment": "production", "network": "20"}
ONE_PLACE = {"lines": 25, "words": 150}
THREE_PLACES = {"lines": 40}


def manifest_of(*asks: tuple[str, dict[str, str]]) -> Manifest:
    request = Request(items=tuple(Item(capability=capability, label=capability, facts=facts(**said)) for capability, said in asks))
    required, at = chain.understand(request, SITE, "ops"), situation(four_nodes())
    assert required.complete
    offer = chain.offer(required, at)
    proposal = pick_by_rule(offer)
    assert proposal
    return chain.compose(required, offer, proposal, at)


def plan_of(manifest: Manifest, action: str = "create", kind: str = "create", restarts: bool = False) -> Plan:
    changes = {
        part.label: tuple(Change(address=f"vm[{one.name}]", action=action, name=one.name, restarts=restarts) for one in part.resources)  # type: ignore[arg-type]
        for part in manifest.parts
    }
    sums = dict.fromkeys(("plan_sha256", "plan_json_sha256", "inputs_sha256", "state_sha256"), "0" * 64)
    return Plan(
        run_id="run-1",
        conversation="talk",
        kind=kind,  # type: ignore[arg-type]
        requester="ops",
        manifest_digest=manifest.digest,
        review_digest=reviewed(manifest).digest,
        snapshot_digests=(),
        policy_version="1",
        parts=tuple(PartPlan(label=label, changes=found, providers=(), **sums) for label, found in changes.items()),
        estimate=estimate(manifest.parts, situation(four_nodes())),
        made_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


def told(manifest: Manifest, plan: Plan | None = None, not_included: tuple[str, ...] = (), before: Before | None = None) -> str:
    return draw(telling.plan(plan or plan_of(manifest), manifest, reviewed(manifest), not_included, before))


@pytest.mark.parametrize("ask", [("virtual_machine", VM), ("postgresql", POSTGRESQL), ("web_server", WEB), ("redis", REDIS)])
def test_a_plan_of_one_thing_is_read_in_a_minute(ask: tuple[str, dict[str, str]]) -> None:
    card = told(manifest_of(ask), not_included=("a backup every night", "monitoring by Zabbix"))
    assert len(card.splitlines()) <= ONE_PLACE["lines"], card
    assert len(card.split()) <= ONE_PLACE["words"], card


def test_a_plan_of_three_parts_is_read_in_a_minute_or_two() -> None:
    card = told(manifest_of(("postgresql", POSTGRESQL), ("web_server", WEB), ("redis", REDIS)))
    assert len(card.splitlines()) <= THREE_PLACES["lines"], card


def test_a_card_says_what_where_how_big_what_share_and_what_to_reply() -> None:
    manifest = manifest_of(("virtual_machine", VM))
    [machine] = manifest.parts[0].machines
    plan = plan_of(manifest)
    card = told(manifest, plan, ("a backup every night",))
    for said in (machine.name, machine.node, machine.storage, machine.bridge, "4 vCPU", "8 GiB", "60 GiB", "a backup every night"):
        assert said in card
    assert all(line.note in card for line in plan.estimate.lines)
    assert card.count(f"\n    approve {plan.digest[:12]}") == 1


def test_a_card_names_every_network_card_with_its_addresses() -> None:
    two = {"address": "10.20.0.50/24, 2001:db8::50/64", "gateway": "10.20.0.1", "more_networks": "30"}
    [where] = [line for line in told(manifest_of(("virtual_machine", VM | two))).splitlines() if "Where" in line]
    assert "address 10.20.0.50/24, 2001:db8::50/64" in where
    assert "another card on vmbr0, VLAN 30, address by DHCP" in where
    fixed = {"count": "2", "more_networks": "30", "more_addresses": "10.30.0.5, 10.30.0.6"}
    assert "address by DHCP; another card on vmbr0, VLAN 30, address 10.30.0.5/24, 10.30.0.6/24" in told(
        manifest_of(("virtual_machine", VM | fixed))
    )


@pytest.mark.parametrize(
    ("ask", "line"),
    [(VM, "- **Name**: vm-01.example.org"), (WEB, "- **Names**: web-01.example.org, web-02.example.org, web-03.example.org and 7 more")],
)
def test_a_card_says_which_names_a_name_server_will_be_told(ask: dict[str, str], line: str) -> None:
    server = NameServer(server="ns.example.org", zones=("example.org",), key="env:KEY")
    manifest = manifest_of(("web_server" if ask is WEB else "virtual_machine", ask))
    named = manifest.model_copy(update={"parts": registering(manifest.parts, SITE.model_copy(update={"names": server}))})
    assert line in told(named).splitlines() and not [one for one in told(manifest).splitlines() if "Name" in one]


def test_what_was_said_or_is_settled_by_a_source_is_no_assumption_on_the_card() -> None:
    manifest = manifest_of(("postgresql", POSTGRESQL))
    [part] = card_of(plan_of(manifest), manifest, None).parts
    assert [field.name for one in part.assumed for field in one.fields] == ["memory_mib", "disk_gib"], "2 vCPU is the row's own figure"


def test_machines_that_differ_in_nothing_are_told_once_with_how_many_are_where() -> None:
    manifest = manifest_of(("web_server", WEB))
    [part] = card_of(plan_of(manifest), manifest, None).parts
    [alike] = part.things
    assert len(alike.names) == 10 and sum(count for _, count in alike.nodes) == 10


def test_an_edit_tells_the_difference_first_and_that_the_node_is_the_same() -> None:
    before, after = (manifest_of(("virtual_machine", VM | {"memory": memory})) for memory in ("4 GB", "8 GB"))
    turns = difference(before, after)
    assert [(turn.name, turn.before, turn.after) for turn in turns] == [
        ("memory_mib", "4 GiB", "8 GiB"),
        ("node", before.parts[0].machines[0].node, after.parts[0].machines[0].node),
    ]
    first = told(after, before=(before, plan_of(before).estimate)).splitlines()[0]
    assert "memory 4 → 8 GiB" in first and "node unchanged" in first


def test_a_part_that_is_new_or_gone_is_told() -> None:
    one, two = manifest_of(("virtual_machine", VM)), manifest_of(("virtual_machine", VM), ("web_server", WEB | {"count": "1"}))
    assert [(turn.part, turn.before, turn.after) for turn in difference(one, two)] == [("web_server", "", "web-01")]
    assert [(turn.part, turn.before, turn.after) for turn in difference(two, one)] == [("web_server", "web-01", "")]
    assert difference(two, two) == ()


def test_a_removal_names_what_is_lost_and_says_nothing_of_sizes() -> None:
    manifest = manifest_of(("virtual_machine", VM))
    card = told(manifest, plan_of(manifest, "delete", "remove").model_copy(update={"estimate": type(plan_of(manifest).estimate)()}))
    assert manifest.parts[0].machines[0].name in card and "Lost" in card
    assert "vCPU" not in card and len(card.split()) < 60


def test_a_change_says_what_is_restarted() -> None:
    before, after = (manifest_of(("virtual_machine", VM | {"cpu_count": cores})) for cores in ("2", "4"))
    card = told(after, plan_of(after, "update", "change", restarts=True), before=(before, plan_of(before).estimate))
    assert "2 → 4 vCPU" in card.splitlines()[0] and "Restart" in card
