"""Kubernetes as Azure runs it: what is understood, which sizes and releases are offered, what the review finds, and a cluster made, changed
and removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.capabilities import chain
from tools.pipeline.platforms.azure.scan import scan
from tools.platforms import estimate
from tools.rules.azure.checks import cloud_of
from tools.rules.plans.policy import refused
from tools.values.review import Severity
from tools.values.site import Environment, Networking, Site
from tools.values.snapshot import KubernetesVersion, SubscriptionSnapshot

from . import bodies
from .conftest import (
    NOW,
    POLICY,
    WORLD,
    Folder,
    Look,
    composed,
    errors,
    name_of,
    offered,
    owning,
    required,
    served,
    situation,
    wanted_changes,
)
from .test_changes import changed

WORDS = "a Kubernetes cluster in Azure, 3 nodes, production, in eastus, for the shop team"
GROUP = "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c"


def got(words: str) -> dict[str, Any]:
    needs = required(words).parts[0]
    assert (needs.capability, needs.platform, needs.missing, needs.problems) == ("k3s_cluster", "azure", (), ())
    return {f.name: f.value for f in needs.fields}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (WORDS, {"nodes": 3, "environment": "production", "region": "eastus", "team": "shop", "workers_cpu_count": 4}),
        ("AKS", {"nodes": 3, "environment": "development"}),
        ("an AKS cluster with 5 nodes of 8 cores and 32 GB", {"nodes": 5, "workers_cpu_count": 8, "workers_memory_mib": 32768}),
        ("a Kubernetes cluster in Azure with 2 workers, version 1.35", {"nodes": 2, "release": "1.35"}),
        (
            f"AKS, 3 nodes, from addresses 198.51.100.0/24, admin group {GROUP}",
            {"api_ranges": ("198.51.100.0/24",), "administrators": GROUP},
        ),
        ("AKS with 3 nodes, alerts to ops@example.org, $900 a month", {"alert_email": "ops@example.org", "budget_monthly": 900}),
    ],
)
def test_sentences(words: str, expected: dict[str, Any]) -> None:
    found = got(words)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("an AKS cluster on proxmox", "AKS is the Kubernetes that Azure runs"),
        ("a Kubernetes cluster of RKE2 in Azure with 3 nodes", "and not RKE2"),
        ("AKS with 300 nodes", "1 to 100 nodes"),
        ("AKS with 3 nodes, from addresses 10.0.0.0/8", "sees public addresses only"),
    ],
)
def test_what_cannot_be_taken(words: str, told: str) -> None:
    assert any(told in problem for problem in required(words).parts[0].problems), required(words).parts[0].problems


def test_what_azure_does_itself_or_nobody_does_is_told() -> None:
    for words, nodes, left in (("Kubernetes in Azure with 3 masters and 4 workers", 4, "3"), ("AKS with 2 nodes and Rancher", 2, "ancher")):
        needs = required(words).parts[0]
        assert needs.whole("nodes") == nodes and any(left in one for one in needs.not_included), needs.not_included


def test_it_stays_k3s_on_a_cluster_of_ones_own() -> None:
    assert required("Kubernetes with 1 master and 2 workers, development, on network 20").parts[0].platform == "proxmox"


@pytest.mark.parametrize(
    ("words", "first", "pools"),
    [
        (WORDS, "standard_d4s_v5/apart", [("system", 3, ["1", "2", "3"]), ("nodes", 3, ["1", "2", "3"])]),
        ("AKS with 2 nodes", "standard_d4s_v5/together", [("nodes", 2, [])]),
        ("AKS with 2 nodes, highly available", "standard_d4s_v5/apart", [("system", 3, ["1", "2", "3"]), ("nodes", 2, ["1", "2", "3"])]),
        ("AKS with 2 nodes of 8 cores and 64 GB", "standard_e8s_v5/together", [("nodes", 2, [])]),
    ],
)
def test_system_nodes_apart_and_zones_in_production(seen: SubscriptionSnapshot, words: str, first: str, pools: list[Any]) -> None:
    part = composed(words, seen).parts[0]
    assert part.candidate == first
    assert [(one["name"], one["count"], one["zones"]) for one in part.variables["pools"]] == pools
    assert part.variables["pools"][0]["mode"] == "System"
    assert errors(part, seen) == set()
    assert (estimate([part], situation(seen)).total or 0) > 100


def test_nodes_come_and_go_between_two_numbers(seen: SubscriptionSnapshot) -> None:
    fixed, scaled = (composed(f"AKS with {nodes}", seen).parts[0] for nodes in ("5 nodes", "2 to 5 nodes, autoscaling"))
    assert [(one["count"], one.get("least")) for one in (*fixed.variables["pools"], *scaled.variables["pools"])] == [(5, None), (5, 2)]
    assert scaled.needs.not_included == () and errors(scaled, seen) == set()
    assert (estimate([scaled], situation(seen)).total or 0) < (estimate([fixed], situation(seen)).total or 0)


def test_a_release_is_one_that_azure_supports(seen: SubscriptionSnapshot) -> None:
    assert composed("AKS with 2 nodes", seen).parts[0].variables["kubernetes_version"] == "1.34", "Azure's own choice"
    offer = offered("AKS with 2 nodes, version 1.29", seen).parts[0]
    assert not offer.candidates and "1.33, 1.34 and 1.35" in offer.counter_offer
    rows = (KubernetesVersion(region="eastus", version="1.32", is_supported=False), *seen.kubernetes)
    long = seen.model_copy(update={"kubernetes": rows})
    assert not offered("AKS with 2 nodes, version 1.32", long).parts[0].candidates, "long-term support is a contract of its own"
    oldest = composed("AKS with 2 nodes, version 1.33", seen).parts[0]
    found, _ = chain.footing(oldest).review(oldest, situation(seen))
    assert ("release.current", Severity.WARNING) in {(one.check, one.severity) for one in found}


def test_policies_inside_need_a_provider_that_nothing_else_registers(seen: SubscriptionSnapshot) -> None:
    part = composed("AKS with 2 nodes", seen).parts[0]
    found, _ = chain.footing(part).review(part, situation(seen.model_copy(update={"unregistered": ("Microsoft.PolicyInsights",)})))
    assert ("policy.registered", Severity.WARNING) in {(one.check, one.severity) for one in found}


def test_a_service_is_published_by_a_rule_of_its_own(seen: SubscriptionSnapshot) -> None:
    """The guide names the security group that the port is opened on."""
    part = composed("AKS with 2 nodes", seen).parts[0]
    assert dict(part.facts)["nsg"] == name_of(part, "nsg")


@pytest.mark.parametrize(
    "words",
    ["AKS with 2 nodes, admin group {}", "postgres in Azure for 20 users, admin group {}", "spark 1 TB daily, in eastus, group {}"],
)
def test_a_group_that_the_directory_does_not_have_is_told(look: Look, words: str) -> None:
    for group, expected in ((GROUP, set()), (GROUP.replace("0b6f", "ffff"), {"group.there"})):
        needs = required(words.format(group))
        there = look(*chain.places_to_look(needs, Site()))
        assert errors(composed(words.format(group), there).parts[0], there) == expected


def test_a_group_that_may_not_be_looked_up_is_told_as_not_seen(tmp_path: Path) -> None:
    world = yaml.safe_load(WORLD.read_text())
    del world["azure"]["tenant"]["directory_role"]
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump(world))
    needs = required(f"AKS with 2 nodes, admin group {GROUP}")
    regions, names = chain.places_to_look(needs, Site())
    with served(file, tmp_path / "world") as settings:
        there = scan(settings, NOW, regions=regions, names=names)
    assert (there.groups_unseen, there.groups_gone) == ((GROUP,), ())
    part = composed(f"AKS with 2 nodes, admin group {GROUP}", there).parts[0]
    found, _ = chain.footing(part).review(part, situation(there))
    assert ("group.seen", Severity.NOTE) in {(one.check, one.severity) for one in found} and errors(part, there) == set()


def test_what_the_quota_and_the_budget_do_not_carry(seen: SubscriptionSnapshot) -> None:
    assert not offered("AKS with 90 nodes", seen).parts[0].candidates
    offer = offered("AKS, 3 nodes, production, $700 a month", seen).parts[0]
    assert [one.id.rpartition("/")[2] for one in offer.candidates][:1] == ["together"], "without nodes apart it fits the budget"


def test_what_cannot_be_changed_in_place(seen: SubscriptionSnapshot) -> None:
    built = composed(WORDS, seen)
    for words, told in (
        (f"{WORDS}, 8 cores", "keeps its size"),
        (f"{WORDS}, version 1.33", "does not go back"),
        (WORDS.replace("eastus", "westus2"), "moves nothing between regions"),
    ):
        offer, made = changed(words, built, seen)
        assert made is None and told in " ".join(one.reason for one in offer.parts[0].exclusions), words


def test_from_a_sentence_to_an_empty_plan_changes_and_back(folder: Callable[[str], Folder], look: Look) -> None:
    words = f"{WORDS}, from addresses 198.51.100.0/24, admin group {GROUP}, alerts to ops@example.org"
    before = look()
    hub = next(one.id for one in before.networks if one.id.endswith("/vnet-hub-eastus"))
    built = composed(words, before, site=Site(environments=(Environment(name="production", network=Networking(hub=hub)),)))
    part = built.parts[0]
    place = folder(part.module)
    place.vary(part)
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []
    assert errors(owning(part, place), look()) == set()
    for more, expected in (("2 to 5 nodes", 5), ("version 1.35", 3)):
        _, made = changed(f"{words.replace('3 nodes', more) if 'nodes' in more else f'{words}, {more}'}", built, look())
        assert made is not None
        after = made.parts[0]
        assert {one["name"]: one["count"] for one in after.variables["pools"]}["nodes"] == expected
        assert name_of(after, "cluster") == name_of(part, "cluster") and cloud_of(after).region == "eastus"
        place.vary(after)
        assert wanted_changes(place.plan()) == ["azapi_resource.cluster"], "in its place, and nothing else"
        place.apply()
        assert wanted_changes(place.plan()) == []
    assert place.terraform.outputs()["cluster"]["version"].startswith("1.35")
    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
