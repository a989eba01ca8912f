"""A template of a cloud image: where it goes, what it becomes, what it needs, and what is refused; from what is said to a plan's values."""

from __future__ import annotations

from typing import Any

import pytest
from clusters import SITE, facts, four_nodes, guest, storage, template
from machine_chain import composed, errors, offered, only, required, reviewed, situation, spoilt

from tools.capabilities import catalogue, chain
from tools.rules.machines import images, rights, templates
from tools.rules.plans.picking import pick_by_rule
from tools.values.site import CloudImage, Site, SiteNetwork
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot

DEBIAN = {"os": "debian", "os_version": "12", "network": "20", "address": "10.20.0.9/24", "gateway": "10.20.0.1"}
ALMA = {"os": "almalinux", "network": "20"}
HOLDS_FILES = ("iso", "vztmpl", "backup", "import")


def cluster(*more: Any, **changes: Any) -> ClusterSnapshot:
    """Four nodes without any template, each with a folder that takes images."""
    bare = four_nodes(**changes)
    folders = tuple(storage("local", one.name, shared=False, kind="dir", content=HOLDS_FILES) for one in bare.nodes)
    folders += tuple(storage("files", one.name, shared=True, kind="nfs", content=HOLDS_FILES) for one in bare.nodes)
    return bare.model_copy(update={"storages": (*bare.storages, *folders, *more), "templates": ()})


def test_it_lies_on_shared_storage_and_is_downloaded_beside_its_machine() -> None:
    seen = cluster()
    manifest = composed("template", DEBIAN, seen)
    assert errors(reviewed(manifest, seen)) == []
    part = only(manifest)
    [machine] = part.machines
    image = part.variables["image"]
    assert (machine.name, machine.storage, machine.address, machine.on_boot, machine.disk_gib) == (
        "debian-12",
        "ceph-vm",
        "10.20.0.9/24",
        False,
        4,
    )
    assert (part.module, image["node"], image["storage"], len(image["checksum"])) == ("template", machine.node, "local", 128)
    assert (part.dns_names, part.registered_in, part.commands) == ((), "", ())


def test_it_needs_the_rights_to_download_and_none_to_clone() -> None:
    needed = dict(only(composed("template", DEBIAN, cluster())).rights)
    node = only(composed("template", DEBIAN, cluster())).machines[0].node
    assert needed[f"/nodes/{node}"] == ("Sys.AccessNetwork", "Sys.Audit")
    assert needed["/storage/local"] == ("Datastore.Allocate", "Datastore.AllocateTemplate", "Datastore.Audit")
    assert not [path for path in needed if path.startswith("/vms/")]
    granting = rights.lines("berth@pve!apply", tuple(needed.items()), tuple(needed.items()))
    assert f"pveum acl modify /nodes/{node} --users berth@pve --tokens 'berth@pve!apply' --roles BerthDownload" in granting
    assert "pveum acl modify /storage/local --users berth@pve --tokens 'berth@pve!apply' --roles BerthImages" in granting


def test_a_further_one_has_a_number_and_is_taken_in_the_place_of_the_first() -> None:
    seen = cluster()
    seen = seen.model_copy(update={"guests": (*seen.guests, guest(9000, "debian-12", seen.nodes[0].name))})
    assert only(composed("template", DEBIAN, seen)).machines[0].name == "debian-12-2"
    both = seen.model_copy(update={"templates": (template(9000, "debian-12", "pve1"), template(20000, "debian-12-2", "pve1"))})
    assert [one.name for one in templates.offered(both, "debian")[0]] == ["debian-12-2"]


@pytest.mark.parametrize(
    ("name", "said", "fits"),
    [
        ("ubuntu-24-04", "ubuntu-24.04", True),
        ("debian-12-2", "debian-12", True),
        ("debian-12", "debian-13", False),
        ("ubuntu-2404-cloudinit-template", "ubuntu-24.04", True),
        ("ubuntu2204", "ubuntu-22.04", True),
        ("ubuntu-2404", "ubuntu-22.04", False),
    ],
)
def test_a_name_without_dots_tells_its_version(name: str, said: str, fits: bool) -> None:
    assert templates.matches(template(9000, name, "pve1", os=name.partition("-")[0]), said) is fits


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"os": "debian", "network": "20"}, ["address"]),
        ({"network": "20"}, ["os"]),
        ({"os": "debian", "network": "20", "address": "10.20.0.9/24"}, ["gateway"]),
        (ALMA, []),  # The agent is in its image, and tells what DHCP gave.
        ({"os_version": "24.04", "network": "20"}, ["address"]),
    ],
)
def test_what_is_asked(said: dict[str, str], missing: list[str]) -> None:
    needs = catalogue()["template"].ON["proxmox"].understand(facts(**said), SITE)
    assert [one.name for one in needs.missing] == missing
    assert needs.problems == ()


def test_no_address_is_asked_for_where_the_site_has_a_pool() -> None:
    known = SiteNetwork.model_validate({"name": "20", "bridge": "vmbr0", "vlan_tag": 20, "subnet": "10.20.0.0/24", "pool": ["10.20.0.50"]})
    site = Site(networks=(known,))
    seen = images_seen(site)
    able = catalogue()["template"].ON["proxmox"]
    needs = able.settle(able.understand(facts(os="debian", network="20"), site), Situation({"proxmox": seen}, site))
    assert needs.missing == ()


def images_seen(site: Site) -> ClusterSnapshot:
    from tools.rules.machines import networks

    return networks.as_known(cluster(), site.networks)


REFUSED = [
    (cluster().model_copy(update={"storages": four_nodes().storages}), "every storage"),
    (cluster().model_copy(update={"quorate": False}), "the cluster"),
]


@pytest.mark.parametrize(("seen", "subject"), REFUSED)
def test_where_none_can_be_made(seen: ClusterSnapshot, subject: str) -> None:
    part = offered("template", DEBIAN, seen)[1].parts[0]
    assert part.candidates == () and part.exclusions[0].subject == subject


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"address": "dhcp"}, "address.known"),
        ({"disk_gib": 1}, "disk.size"),
        ({"template_vm_id": -99}, "template.there"),
        ({"storage": "nowhere"}, "storage.there"),
    ],
)
def test_what_the_review_finds(changes: dict[str, Any], check: str) -> None:
    seen = cluster()
    assert check in errors(reviewed(spoilt(composed("template", DEBIAN, seen), **changes), seen))


def test_the_review_finds_another_image() -> None:
    seen = cluster()
    manifest = composed("template", DEBIAN, seen)
    part = only(manifest)
    image = {**part.variables["image"], "checksum": "0" * 128}
    other = manifest.model_copy(update={"parts": (part.model_copy(update={"variables": {"image": image}}),)})
    assert errors(reviewed(other, seen)) == ["image.same"]


def test_a_template_takes_no_memory_when_it_is_there_and_nobody_has_its_address() -> None:
    part = only(composed("template", DEBIAN, cluster()))
    assert chain.made(part).machines == ()
    assert [one.memory_mib for one in chain.reserves(part).machines] == [2048]


def test_one_that_is_there_stays_and_another_is_made_beside_it() -> None:
    seen = cluster()
    old = composed("template", DEBIAN, seen)
    made = guest(only(old).machines[0].vm_id, "debian-12", only(old).machines[0].node, cpus=1, memory_gib=2, disk_gib=4, running=False)
    seen = seen.model_copy(update={"guests": (*seen.guests, made.model_copy(update={"template": True}))})
    same, other = (required("template", DEBIAN | more) for more in ({}, {"os_version": "13"}))
    kept = chain.offer(same, situation(seen), old)
    again = chain.compose(same, kept, pick_by_rule(kept), situation(seen), old.digest, old)
    assert (only(again).machines, only(again).owned) == (only(old).machines, (str(made.vm_id),))
    assert errors(reviewed(again, seen)) == []
    refused = chain.offer(other, situation(seen), old).parts[0]
    assert refused.candidates == () and "`make a Debian 13 template`" in refused.counter_offer


def test_a_site_has_its_own_mirror() -> None:
    row = images.images_of(SITE)[0]
    own = row.model_copy(update={"url": "https://mirror.example.org/debian-12.qcow2"})
    new = CloudImage(
        os="fedora", version="44", url="https://mirror.example.org/f.qcow2", checksum="0" * 64, checksum_algorithm="sha256", disk_gib=5
    )
    site = Site(images=(own, new))
    assert images.find(images.images_of(site), "debian", "") == own
    assert images.find(images.images_of(site), "fedora", "44") == new
    assert images.asked_for(site, "fedora") == "make a Fedora 44 template"


def test_a_machine_of_a_system_without_a_template_is_told_what_to_say() -> None:
    said = {"cpu_count": "1", "memory": "1 GB", "disk": "8 GB", "network": "20", "environment": "development"}
    [first] = offered("virtual_machine", said, cluster())[1].parts[0].exclusions[:1]
    assert "`make a Debian 12 template`" in first.reason
    needs = required("template", DEBIAN).parts[0]
    assert needs.text("os") == "debian-12"
