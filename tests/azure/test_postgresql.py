"""PostgreSQL as Azure runs it: what is understood, which size and standby are offered, what the review finds, and a server made and
removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.plans.policy import refused
from tools.values.manifest import Part
from tools.values.site import Environment, Site
from tools.values.snapshot import SubscriptionSnapshot

from . import bodies
from .conftest import POLICY, Folder, Look, composed, errors, name_of, offered, owning, required, situation, wanted_changes
from .test_changes import changed

WORDS = "a PostgreSQL database in Azure for 200 users, production, in eastus, for the shop team"
GROUP = "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c"


def got(words: str, site: Site | None = None) -> dict[str, Any]:
    needs = required(words, site).parts[0]
    assert (needs.platform, needs.missing, needs.problems) == ("azure", (), ())
    return {f.name: f.value for f in needs.fields}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (WORDS, {"concurrent_users": 200, "environment": "production", "region": "eastus", "team": "shop", "storage_gib": 64}),
        ("postgres in Azure for 20 users with 100 GB of data", {"storage_gib": 256, "database_gib": 100}),
        ("postgres on azure, 20 users, disk of 100 GB", {"storage_gib": 128}),
        ("PostgreSQL in Azure, 50 users, 4 cores, 16 GB memory", {"cpu_count": 4, "memory_mib": 16384}),
        (f"postgres in Azure for 20 users, admin group {GROUP}", {"administrators": GROUP}),
        ("postgres in Azure for 20 users, backups kept 30 days, highly available", {"backup_days": 30, "high_availability": True}),
        ("postgres in Azure for 20 users, with backups", {"backup_days": 14}),
        ("postgres in Azure for 20 users, database called shop, $500 a month", {"database_name": "shop", "budget_monthly": 500}),
    ],
)
def test_sentences(words: str, expected: dict[str, Any]) -> None:
    found = got(words)
    assert {name: found.get(name) for name in expected} == expected


def test_what_is_asked_for_and_what_stays_on_the_cluster() -> None:
    assert [m.name for m in required("a PostgreSQL database in Azure").parts[0].missing] == ["users"]
    assert required("a PostgreSQL database for 20 users, development, on network 20").parts[0].platform == "proxmox"
    kept = Site(environments=(Environment(name="production", platform="azure"),))
    assert required("a PostgreSQL database for 20 users, production", kept).parts[0].platform == "azure"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("postgres in Azure for 20 users on vlan 20", "is a network of a cluster"),
        ("postgres in Azure for 20 users, 3 servers", "one server is made for one database"),
        ("postgres in Azure for 20 users, backups kept 90 days", "from 7 to 35"),
        ("postgres in Azure for 20 users, disk of 40 TB", "more than one server's storage holds"),
        ("a MySQL database in Azure for 20 users", "not MySQL ones"),
        ("postgres in Azure for 20 users, admin group everybody", "no object id"),
    ],
)
def test_words_that_cannot_be_taken(words: str, told: str) -> None:
    assert told in " ".join(required(words).parts[0].problems)


@pytest.mark.parametrize(
    ("words", "first", "others"),
    [
        (WORDS, "d2s_v3/zone-redundant", {"d2s_v3/single", "e2s_v3/zone-redundant"}),
        ("postgres in Azure for 200 users", "b2s/single", {"d2s_v3/single"}),
        ("postgres in Azure for 20 users", "b1ms/single", {"b2s/single"}),
        ("postgres in Azure for 20 users in westus, production", "d2s_v3/single", set()),
        ("postgres in Azure for 20 users, 4 cores", "d4s_v3/single", set()),
    ],
)
def test_size_and_standby_by_what_it_is_for(seen: SubscriptionSnapshot, words: str, first: str, others: set[str]) -> None:
    part = offered(words, seen).parts[0]
    ids = [c.id for c in part.candidates]
    assert ids[0] == first and others <= set(ids)
    assert all(s.holds for c in part.candidates for s in c.sums)
    production = "production" in words
    assert any("throttled" in e.reason for e in part.exclusions) is production


def test_what_azure_does_is_not_told_as_left_out(seen: SubscriptionSnapshot) -> None:
    part = composed("postgres in Azure for 20 users, backups kept 30 days, high availability, in eastus", seen).parts[0]
    assert part.needs.not_included == () and part.candidate.endswith("/zone-redundant") and part.variables["backup_days"] == 30


def test_the_sum_is_its_servers_their_storage_and_logs_and_what_has_no_price_is_named(seen: SubscriptionSnapshot) -> None:
    found = estimate(composed(WORDS, seen).parts, situation(seen))
    servers, logs = 2 * (730 * 0.195 + 64 * 0.138), 5 * 2.30 + 9.7 * 0.13 + 0.10 + 0.50
    assert found.total == pytest.approx(servers + logs, abs=0.02)
    assert {x.note for x in found.lines if "postgresql" in x.price_row} == {"price of westus"}, "no list of eastus is at hand"
    small = estimate(composed("postgres in Azure for 20 users, development, in eastus", seen, "b2s/single").parts, situation(seen))
    assert [x.unit for x in small.lines if x.amount is None] == ["postgresql.B2s"]


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("addresses.enough", {"address_space": "10.70.0.0/29"}),
        ("storage.size", {"storage_gib": 100}),
        ("size.current", {"sku": {"name": "Standard_D2s_v9", "tier": "GeneralPurpose"}}),
        ("size.connections", {"sku": {"name": "Standard_B1ms", "tier": "Burstable"}}),
        ("zones", {"sku": {"name": "Standard_B2s", "tier": "Burstable"}}),
    ],
)
def test_the_review_finds(seen: SubscriptionSnapshot, check: str, change: dict[str, Any]) -> None:
    part = composed(WORDS, seen).parts[0]
    assert errors(part, seen) == set()
    assert check in errors(part.model_copy(update={"variables": {**part.variables, **change}}), seen)


def test_what_cannot_be_changed_in_place(seen: SubscriptionSnapshot) -> None:
    built = composed(WORDS, seen)
    for words, told in (
        (f"{WORDS}, database called other", "renames none"),
        (f"{WORDS}, disk of 32 GB", "only ever grows"),
        (WORDS.replace("eastus", "westus2"), "moves nothing"),
    ):
        offer, made = changed(words, built, seen)
        assert made is None and told in offer.parts[0].exclusions[0].reason


def test_from_a_sentence_to_an_empty_plan_and_back(folder: Callable[[str], Folder], look: Look) -> None:
    words = f"{WORDS}, admin group {GROUP}"
    places = chain.places_to_look(required(words), Site())
    built = composed(words, look(*places))
    part = built.parts[0]
    place = folder(part.module)
    hub = next(one.id for one in look().networks if one.id.endswith("/vnet-hub-eastus"))
    place.vary(part, hub_id=hub, alert_email="dba@example.org")
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []

    after = look(*places)
    assert errors(part, after) == {"name.free", "addresses.free"}
    assert errors(owning(part, place), after) == set()
    assert name_of(composed(words, after).parts[0], "postgresql") != name_of(part, "postgresql")
    _, made = changed(f"{words}, 100 GB of data", built, after)
    assert made is not None
    grown: Part = made.parts[0]
    assert grown.cloud == part.cloud
    place.vary(grown, hub_id=hub, alert_email="dba@example.org")
    assert wanted_changes(place.plan()) == ["azapi_resource.server"]
    place.apply()
    assert wanted_changes(place.plan()) == []
    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
