"""Virtual machines in Azure: what is understood, which sizes are offered, what the review finds, and machines made, resized and removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.capabilities import chain
from tools.clients.settings import Settings
from tools.platforms import azure as platform
from tools.platforms import estimate
from tools.rules.azure.checks import cloud_of
from tools.rules.plans.changes import changes as plan_changes
from tools.rules.plans.policy import refused
from tools.rules.words import telling
from tools.rules.words.rendering import draw
from tools.values.review import Severity
from tools.values.site import Environment, Networking, Site
from tools.values.snapshot import SubscriptionSnapshot

from . import bodies
from .conftest import POLICY, Folder, Look, composed, errors, offered, owning, required, situation, wanted_changes
from .test_card import plan_of
from .test_changes import changed

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5b8o0lNf0dJ0b1qzO3m2n5r7t9v1x3z5b7d9f1h3j5 me@host"
SITE = Site(public_keys=(KEY,))
WORDS = "2 VMs in Azure with 2 cores and 8 GB, disk of 100 GB, production, in eastus, for the shop team"


def _with(disks: str) -> str:
    return WORDS.replace("disk of 100 GB", f"disk of 100 GB, {disks}")


def got(words: str, site: Site = SITE) -> dict[str, Any]:
    needs = required(words, site).parts[0]
    assert (needs.platform, needs.missing, needs.problems) == ("azure", (), ())
    return {f.name: f.value for f in needs.fields}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            WORDS,
            {"count": 2, "cpu_count": 2, "memory_mib": 8192, "disk_gib": 100, "region": "eastus", "team": "shop", "public_keys": (KEY,)},
        ),
        ("a VM in Azure, 1 core, 4 GB, ports 443 and 53/udp", {"ports": ("53/udp", "443"), "environment": "development", "os": "debian"}),
        ("an Azure VM called build-01, 2 cores, 4 GB, $100 a month", {"name": "build-01", "budget_monthly": 100}),
        ("a VM in Azure, 2 cores, 4 GB, Debian 12, resource group rg-x", {"os": "debian", "resource_group": "rg-x"}),
        ("an Ubuntu VM in Azure, 2 cores, 4 GB", {"os": "ubuntu", "os_version": "24.04"}),
        ("an Ubuntu 22.04 VM in Azure, 2 cores, 4 GB", {"os": "ubuntu", "os_version": "22.04"}),
        ("a VM in Azure, 2 cores, 4 GB, data disk of 200 GB", {"os_version": "12", "data_disks_gib": ("200",)}),
    ],
)
def test_sentences(words: str, expected: dict[str, Any]) -> None:
    found = got(words)
    assert {name: found.get(name) for name in expected} == expected


def test_what_is_asked_for_and_what_stays_on_the_cluster() -> None:
    assert [m.name for m in required("a VM in Azure").parts[0].missing] == ["public_key", "cpu_count", "memory"]
    assert required("a VM with 2 cores and 4 GB, development, on network 20").parts[0].platform == "proxmox"
    kept = Site(environments=(Environment(name="production", platform="azure"),))
    assert required("a VM with 2 cores and 4 GB, production", kept).parts[0].platform == "azure"


@pytest.mark.parametrize(
    ("words", "first", "zones"),
    [
        (WORDS, "standard_d2s_v5", ["1", "2"]),
        (WORDS.replace("production", "development"), "standard_d2s_v5", ["", ""]),
        (WORDS.replace("eastus", "westus"), "standard_d2s_v5", ["", ""]),
        (WORDS.replace("8 GB", "20 GB"), "standard_d8s_v5", ["1", "2"]),
        (WORDS.replace("8 GB", "60 GB"), "standard_e8s_v5", ["1", "2"]),
    ],
)
def test_the_cheapest_size_that_has_it(seen: SubscriptionSnapshot, words: str, first: str, zones: list[str]) -> None:
    part = offered(words, seen, SITE).parts[0]
    assert part.candidates[0].id == first
    assert all(s.holds for c in part.candidates for s in c.sums)
    made = composed(words, seen, site=SITE).parts[0]
    assert [one["zone"] for one in made.variables["machines"].values()] == zones


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("", [("22", "tcp", "VirtualNetwork")]),
        (", ports 443 and 53/udp", [("22", "tcp", "VirtualNetwork"), ("53", "udp", "VirtualNetwork"), ("443", "tcp", "VirtualNetwork")]),
        (", port 22 from 10.2.0.0/16", [("22", "tcp", "10.2.0.0/16")]),
        (", ports 20-30 and 8443 from 10.0.0.0/8", [("20-30", "tcp", "VirtualNetwork"), ("8443", "tcp", "10.0.0.0/8")]),
    ],
)
def test_what_comes_in(seen: SubscriptionSnapshot, ports: str, expected: list[tuple[str, str, str]]) -> None:
    made = composed(f"a VM in Azure with 2 cores and 4 GB{ports}", seen, site=SITE).parts[0]
    assert [(one["port"], one["protocol"], one["source"]) for one in made.variables["ports"]] == expected


@pytest.mark.parametrize("ports", ["port 70000", "port 443 from 203.0.113.7", "port 443 from 10.0.0.0/8 and 203.0.113.7"])
def test_what_is_no_port_or_cannot_come_in_is_refused(ports: str) -> None:
    needs = required(f"a VM in Azure with 2 cores and 4 GB, {ports}", SITE).parts[0]
    assert needs.problems and needs.disputed == ("ports",)


def test_nothing_is_offered_beyond_the_quota_and_the_largest_size(seen: SubscriptionSnapshot) -> None:
    for words, told in (
        (WORDS.replace("2 VMs", "12 VMs").replace("2 cores", "32 cores"), "quota"),
        (WORDS.replace("8 GB", "900 GB"), "largest"),
        (WORDS.replace("100 GB", "5 TB"), "data disk beside it"),
        (_with("data disk of 40 TB"), "several data disks"),
    ):
        part = offered(words, seen, SITE).parts[0]
        assert part.candidates == ()
        assert told in part.counter_offer


def test_it_is_priced(seen: SubscriptionSnapshot) -> None:
    found = estimate(composed(WORDS, seen, site=SITE).parts, situation(seen))
    assert [x.unit for x in found.lines if x.amount is None] == []
    machines, disks, way_out = 2 * 730 * 0.096, 2 * 19.71, 730 * (0.045 + 0.005) + 40 * 0.045
    logs, alerts = 2.30 + 1.94 * 0.13, 4 * 0.1
    assert found.total == pytest.approx(machines + disks + way_out + logs + alerts, abs=0.01)
    least = estimate(composed("a VM in Azure with 2 cores and 4 GB, in eastus", seen, site=SITE).parts, situation(seen))
    assert [x.unit for x in least.lines if x.amount is None] == []


def test_its_card_is_drawn(seen: SubscriptionSnapshot) -> None:
    manifest = composed(WORDS, seen, site=SITE)
    plan = plan_of(manifest, seen)
    card = draw(telling.plan(plan, manifest, chain.review(manifest, situation(seen)), (), None, ()))
    assert all(words in card for words in ("vm-01", "vm-02", "Standard_D2s_v5", f"approve {plan.digest[:12]}"))


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("size.enough", {"size": "Standard_D2s_v9"}),
        ("disk.size", {"disk_gib": 20}),
        ("keys", {"public_keys": []}),
        ("keys", {"public_keys": ["ecdsa-sha2-nistp256 AAAA me"]}),
    ],
)
def test_the_review_finds(seen: SubscriptionSnapshot, check: str, change: dict[str, Any]) -> None:
    part = composed(WORDS, seen, site=SITE).parts[0]
    assert errors(part, seen) == set()
    assert check in errors(part.model_copy(update={"variables": {**part.variables, **change}}), seen)


@pytest.mark.parametrize(
    ("words", "offer", "sku", "warned"),
    [
        ("a VM in Azure with 2 cores and 4 GB", "debian-12", "12-gen2", False),
        ("a Debian 13 VM in Azure with 2 cores and 4 GB", "debian-13", "13-gen2", False),
        ("an Ubuntu VM in Azure with 2 cores and 4 GB", "ubuntu-24_04-lts", "server", False),
        ("an Ubuntu 22.04 VM in Azure with 2 cores and 4 GB", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", True),
    ],
)
def test_an_image_comes_with_the_day_its_updates_end(seen: SubscriptionSnapshot, words: str, offer: str, sku: str, warned: bool) -> None:
    part = composed(words, seen, site=SITE).parts[0]
    assert (part.variables["marketplace_image"]["offer"], part.variables["marketplace_image"]["sku"]) == (offer, sku)
    found, _ = chain.footing(part).review(part, situation(seen, SITE))
    assert ("image.current" in {one.check for one in found}) == warned


@pytest.mark.parametrize(
    ("words", "port", "memory_mib"),
    [
        ("a web server in Azure", "80", 8192),
        ("a MariaDB server in Azure with 16 GB of memory", "3306", 16384),
        ("an NFS server in Azure for 200 GB of data from 10.0.0.0/16", "2049", 8192),
    ],
)
def test_a_service_stands_in_azure_where_berth_reaches_its_machines(
    seen: SubscriptionSnapshot, words: str, port: str, memory_mib: int
) -> None:
    hub = next(one.id for one in seen.networks)
    site = SITE.model_copy(update={"environments": (Environment(name="development", network=Networking(hub=hub, reached=True)),)})
    part = composed(words, seen, site=site).parts[0]
    assert part.configure is not None and part.configure.kind == "ansible"
    assert [one.memory_mib for one in part.every_machine] == [memory_mib]
    assert {one["port"] for one in part.variables["ports"]} == {"22", "9100", port}
    found, _ = chain.footing(part).review(part, situation(seen, site))
    assert [one.check for one in found if one.severity is Severity.ERROR] == []
    lost, _ = chain.footing(part).review(part, situation(seen, SITE))
    assert [one.check for one in lost if one.severity is Severity.ERROR] == ["reached"]
    bare = required(words, SITE).parts[0]
    assert bare.disputed == ("platform",) and bare.problems
    key = "ssh-ed25519 AAAA run"
    opened = platform.variables(part.letting_in(key))
    assert opened["public_keys"] == [KEY, key]


def test_machines_reach_those_that_they_use(look: Look, azure_settings: Settings, tmp_path: Path) -> None:
    before = look()
    hub = next(one.id for one in before.networks)
    site = SITE.model_copy(update={"environments": (Environment(name="development", network=Networking(hub=hub, reached=True)),)})
    cache, web = composed("a redis in Azure for 1 GB and a web server in Azure connected to the redis", before, site=site).parts
    assert web.uses == (cache.label,) and [one for one in web.commands if "See that it reaches" in one.purpose]
    assert web.variables["neighbour_ids"] == [platform.network_id(cloud_of(cache))]
    assert cache.variables["address_space"] != web.variables["address_space"]
    places = {}
    for part in (cache, web):
        (tmp_path / part.label).mkdir()
        places[part.label] = Folder(azure_settings, tmp_path / part.label, part.module)
        places[part.label].vary(part)
        assert bodies.faults(places[part.label].plan()) == []
        places[part.label].apply()
    assert wanted_changes(places[web.label].plan()) == []
    for part in (web, cache):
        places[part.label].plan(destroy=True)
        places[part.label].apply()
    assert look().groups == before.groups


def test_what_cannot_be_changed_in_place(seen: SubscriptionSnapshot) -> None:
    built = composed(WORDS, seen, site=SITE)
    for words, told in (
        (WORDS.replace("disk of 100 GB", "disk of 200 GB"), "disk of no machine"),
        (WORDS.replace("2 VMs", "1 VM"), "takes no machine away"),
        (WORDS.replace("eastus", "westus2"), "moves nothing"),
        (WORDS + ", Debian 13", "another system"),
    ):
        offer, made = changed(words, built, seen, SITE)
        assert made is None and told in offer.parts[0].exclusions[0].reason


def test_from_a_sentence_to_an_empty_plan_and_back(folder: Callable[[str], Folder], look: Look) -> None:
    before = look()
    built = composed(_with("data disk of 100 GB"), before, site=SITE)
    part = built.parts[0]
    place = folder(part.module)
    place.vary(part)
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []
    machines = place.terraform.outputs()["machines"]
    assert len({one["addresses"][0] for one in machines.values()}) == 2

    after = look()
    assert errors(owning(part, place), after) == set()
    more = _with("data disk of 100 GB and data disk of 200 GB").replace(" 8 GB", " 16 GB").replace("2 VMs", "3 VMs")
    _, made = changed(more, built, after, SITE)
    assert made is not None
    grown = made.parts[0]
    assert grown.cloud is not None and part.cloud is not None and grown.cloud.names == part.cloud.names
    place.vary(grown)
    restarted = [one.name for one in plan_changes(place.plan(), platform.PROVIDER) if one.restarts]
    assert restarted == ["vm-01", "vm-02"]
    assert sorted(wanted_changes(place.plan())) == sorted(
        [
            *(f'azapi_resource.machine["vm-0{n}"]' for n in (1, 2, 3)),
            'azapi_resource.interface["vm-03"]',
            'azapi_resource.diagnostics["vm-03"]',
            *(f'azapi_resource.alert["{kind}-vm-03"]' for kind in ("away", "cpu")),
        ]
    )
    place.apply()
    assert wanted_changes(place.plan()) == []
    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
    assert look().groups == before.groups
