"""Applications by their names, from the sentence to the size: what their vendors publish, and what is asked where nothing is published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from clusters import SITE
from machine_chain import composed

from tools.capabilities import catalogue
from tools.clients.settings import Settings
from tools.data import table
from tools.pipeline.context import PartContext
from tools.pipeline.guide import write_guide
from tools.rules.hearing.reading import read
from tools.rules.request.editing import apply, facts_of
from tools.rules.sizing.applications import Row, canonical, rows
from tools.values.request import Request
from tools.values.requirements import Needs
from tools.values.run import MachineReceipt, PartReceipt

SPOKEN = {"cluster_nodes": "cluster nodes", "instances": "managed instances", "partition_replicas": "partition replicas"}
SYSTEMS = {"Alpine", "Debian", "Ubuntu"}
SERVICES = {word for service in catalogue().values() for word in service.WORDS}


def needs_of(text: str) -> list[Needs]:
    request, refused = apply(Request(), read(text, Request(), catalogue()), catalogue())
    assert refused == ()
    items = request.items
    return [catalogue()[one.capability].ON["proxmox"].understand(facts_of(one, request, catalogue()), SITE) for one in items]


PUBLISHED = [row for row in rows() if row.limits and row.application.lower().removesuffix(" server") not in SERVICES]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.application} {row.load}")
def test_an_application_for_so_many_gets_what_its_vendor_publishes_for_them(row: Row) -> None:
    unit, limit = row.limits[0]
    load = int(min(limit, 1_000_000))
    [needs] = needs_of(f"{row.application} for {load:,} {SPOKEN.get(unit, unit)}, production, network 20")
    assert (needs.text("application"), needs.missing, needs.problems) == (row.application, (), ())
    sizes = (needs.number("cpu_count"), needs.number("memory_mib") / 1024, needs.number("disk_gib"))
    for size, least in zip(sizes, (row.cpu_count, row.memory_gib, row.disk_gib), strict=True):
        assert least is None or least <= size <= least + 1


def test_every_application_with_a_known_minimum_is_heard_when_it_is_to_be_hosted() -> None:
    names = {row["application"] for row in table("community-minimums")} - SYSTEMS
    names = {name for name in names if name.lower() not in SERVICES}
    heard: Counter[bool] = Counter()
    for name in names:
        needs = needs_of(f"we want to host {name} for 100 people, production, network 20")
        heard[[(one.capability, one.text("application")) for one in needs] == [("virtual_machine", canonical(name))]] += 1
    print(f"{heard[True]} of {len(names)} applications heard by name")
    assert heard[True] >= len(names) - 3


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("Jenkins in development on network 20, 2 cores", (2, 4096, 50)),
        ("Harbor for development, network 20", (4, 8192, 160)),
        ("a VM for Grafana, production, network 20", (1, 768, 20)),
        ("OpenProject for 350 users, production, network 20", (8, 8192, 40)),
        ("etcd for 1,500 clients, production, network 20", (8, 32768, 250)),
    ],
)
def test_the_recommended_size_comes_first_and_the_systems_need_on_top(text: str, sizes: tuple[int, int, int]) -> None:
    [needs] = needs_of(text)
    assert (needs.missing, needs.problems) == ((), ())
    assert (needs.whole("cpu_count"), needs.whole("memory_mib"), needs.whole("disk_gib")) == sizes


def test_the_guide_of_a_machine_for_an_application_says_that_installing_it_is_left_to_the_operator(tmp_path: Path) -> None:
    said = {"application": "Nextcloud", "users": "150", "cpu_count": "4", "memory": "8 GB", "disk": "100 GB"}
    told = {}
    for name, facts in (("with", said), ("without", {k: v for k, v in said.items() if k not in ("application", "users")})):
        [part] = composed("virtual_machine", facts | {"network": "20", "environment": "production"}).parts
        (tmp_path / name).mkdir()
        context = PartContext(settings=Settings(), run_folder=tmp_path, part_folder=tmp_path / name, part=part, outputs={})
        machine = MachineReceipt(name=part.machines[0].name, address="10.20.0.9", host_key_sha256="SHA256:x")
        write_guide(context, PartReceipt(label=part.label, outputs={}, machines=(machine,)))
        told[name] = (tmp_path / name / "guide.md").read_text()
    assert "## Install Nextcloud" in told["with"] and "installing Nextcloud" in told["with"], "and again among what is not done"
    assert "Install" not in told["without"]


@pytest.mark.parametrize("text", ["GitLab for 3,000 users", "we want to host Nextcloud for 150 people", "Gitea for 20 people"])
def test_where_nothing_is_published_the_size_is_asked_for_by_name(text: str) -> None:
    [needs] = needs_of(f"{text}, production, network 20")
    assert [one.name for one in needs.missing] == ["cpu_count", "memory", "disk"]
    assert needs.text("application") in needs.missing[0].question
    assert any("installing" in one for one in needs.not_included)
