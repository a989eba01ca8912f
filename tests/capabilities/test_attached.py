"""What machines have besides size and place: names of their own, data disks, addresses, tags, dates. What no plan does of it is told."""

from __future__ import annotations

import pytest
from clusters import NAMES, SITE, facts, four_nodes, guest, storage, template
from machine_chain import VM, composed, errors, grown, offered, only, required, reviewed, spoilt

from tools.capabilities import catalogue, chain
from tools.values.machine import Card, DataDisk
from tools.values.requirements import Needs
from tools.values.snapshot import Network


def understand(capability: str = "virtual_machine", **said: str) -> Needs:
    return catalogue()[capability].ON["proxmox"].understand(facts(**said), SITE)


SAID = [
    ({"name": "app-1, app-2, app-3"}, {"name": "app-1, app-2, app-3", "count": 3}),
    ({"name": "web", "count": "3"}, {"name": "web", "count": 3}),
    ({"data_disks": "100 GB, 1 TB"}, {"data_disks_gib": ("100", "1024")}),
    (
        {"data_disks": "500 GB on ceph-hdd at /srv/data, 20 GB at /var/lib/app, 1 TB on tank, 5 GB"},
        {"data_disks_gib": ("500 on ceph-hdd at /srv/data", "20 at /var/lib/app", "1024 on tank", "5")},
    ),
    ({"address": "10.20.0.50", "gateway": "10.20.0.1"}, {"address": ("10.20.0.50",), "gateway": "10.20.0.1"}),
    ({"dns": "10.20.0.2, 10.20.0.3"}, {"dns_servers": ("10.20.0.2", "10.20.0.3")}),
    ({"dns": "2001:db8::53"}, {"dns_servers": ("2001:db8::53",)}),
    ({"address": "2001:db8:20::50/64"}, {"address6": ("2001:db8:20::50/64",)}),
    (
        {"address": "10.20.0.50/24, 2001:db8:20::50/64", "gateway": "10.20.0.1, 2001:db8:20::1"},
        {"address": ("10.20.0.50/24",), "address6": ("2001:db8:20::50/64",), "gateway": "10.20.0.1", "gateway6": "2001:db8:20::1"},
    ),
    ({"more_networks": "30, vmbr1"}, {"more_networks": ("30", "vmbr1")}),
    (
        {"more_networks": "30", "more_addresses": "2001:db8:30::5/64, 10.30.0.5/24"},
        {"more_addresses": ("10.30.0.5/24", "2001:db8:30::5/64")},
    ),
    ({"domain": "Example.org."}, {"domain": "example.org"}),
    ({"tags": "Cost Centre 42, shop"}, {"tags": ("cost-centre-42", "shop")}),
    ({"role": "indexer"}, {"role": "indexer"}),
    ({"start_on_boot": "no"}, {"start_on_boot": False}),
    ({"needed_by": "2027-02-15", "until": "2027-03-31"}, {"needed_by": "2027-02-15", "until": "2027-03-31"}),
    ({"ports": "22, 443 from 10.0.0.0/8"}, {"ports": ("22", "443 from 10.0.0.0/8")}),
    ({"os": "rocky", "os_version": "9"}, {"os": "rocky-9"}),
    ({"vlan": "20"}, {"network": "20"}),
    ({"vlan": "45", "network": "vmbr0"}, {"network": "45", "bridge": "vmbr0"}),
    ({"vlan": "45", "network": "45", "bridge": "vmbr1"}, {"network": "45", "bridge": "vmbr1"}),
    ({"public_key": "no key"}, {"public_keys": ()}),
]


@pytest.mark.parametrize(("said", "fields"), SAID)
def test_what_is_said_of_a_machine_is_a_field(said: dict[str, str], fields: dict[str, object]) -> None:
    needs = understand(**(VM | said))
    assert needs.problems == ()
    found = {name: one.value for name in fields if (one := needs.field(name))}
    assert found == fields


REFUSED = [
    ({"name": "a, b", "count": "3"}, "3 machines and 2 names"),
    ({"name": "Web 1, web-2"}, "cannot be the name of a machine"),
    ({"data_disks": "large"}, "“large”"),
    ({"data_disks": "1 GB at /etc"}, "No disk can be mounted at “/etc”"),
    ({"data_disks": "1 GB at /var/lib"}, "No disk can be mounted at"),
    ({"data_disks": "1 GB at /srv/../etc"}, "No disk can be mounted at"),
    ({"data_disks": "1 GB at srv"}, "No disk can be mounted at"),
    ({"data_disks": "1 GB at /srv/a$(id)"}, "No disk can be mounted at"),
    ({"data_disks": "1 GB at /srv/a, 2 GB at /srv/a"}, "Two disks cannot both be mounted at"),
    ({"data_disks": ", ".join(["1 GB"] * 13)}, "at most 12"),
    ({"address": "10.20.0.50, 10.20.0.51", "gateway": "10.20.0.1"}, "1 machine and 2 addresses"),
    ({"address": "10.20.0.300", "gateway": "10.20.0.1"}, "“10.20.0.300”"),
    ({"address": "10.20.0.50/24", "gateway": "10.30.0.1"}, "10.30.0.1 is no gateway"),
    ({"address": "10.20.0.50, 10.20.0.50", "gateway": "10.20.0.1", "count": "2"}, "the same address"),
    ({"address": "2001:db8::1/64, 2001:db8::2/64"}, "1 machine and 2 addresses"),
    ({"address": "2001:db8::5/64", "gateway": "2001:db9::1"}, "2001:db9::1 is no gateway"),
    ({"more_networks": ", ".join(map(str, range(30, 38)))}, "Say at most 8"),
    ({"more_networks": "30, 40", "more_addresses": "10.30.0.5/24"}, "2 further network cards and 1 addresses"),
    ({"domain": "under_score"}, "“under_score”"),
    ({"until": "Friday"}, "“Friday”"),
    ({"ports": "443, 70000"}, "“70000” is no port"),
    ({"ports": "9000-8000"}, "“9000-8000” is no port"),
    ({"ports": "53/icmp"}, "“53/icmp” is no port"),
    ({"ports": "443 from 10.0.0.0/40"}, "“10.0.0.0/40” is no address"),
    ({"ports": "443 from the office"}, "“the office” is no address"),
    ({"ports": ", ".join(map(str, range(1000, 1041)))}, "at most 40 ports"),
    ({"needed_by": "2027-04-01", "until": "2027-03-31"}, "only until 2027-03-31"),
]


@pytest.mark.parametrize(("said", "sentence"), REFUSED)
def test_what_cannot_be_is_told(said: dict[str, str], sentence: str) -> None:
    [problem] = understand(**(VM | said)).problems
    assert sentence in problem


def test_a_fixed_address_asks_for_its_gateway() -> None:
    assert [one.name for one in understand(**(VM | {"address": "10.20.0.50/24"})).missing] == ["gateway"]


@pytest.mark.parametrize(
    ("capability", "said", "told"),
    [
        ("virtual_machine", {"ports": "22, 443"}, 0),
        ("virtual_machine", {"data_disks": "100 GB"}, 1),
        ("virtual_machine", {"until": "2027-03-31"}, 1),
        ("virtual_machine", {"gateway": "10.20.0.1"}, 1),
        ("virtual_machine", {"needed_by": "2027-03-31", "role": "web", "tags": "shop"}, 0),
        ("postgresql", {"users": "10", "budget_monthly": "$100"}, 1),
    ],
)
def test_what_no_plan_does_is_not_included(capability: str, said: dict[str, str], told: int) -> None:
    assert len(understand(capability, **(VM | said)).not_included) == told


def test_machines_have_the_names_addresses_disks_and_notes_that_were_said() -> None:
    said = VM | {
        "name": "svc-1, svc-7",
        "address": "10.20.0.50, 10.20.0.51",
        "gateway": "10.20.0.1",
        "data_disks": "100 GB, 200 GB",
        "until": "2027-03-31",
        "role": "app",
        "domain": "example.org",
        "start_on_boot": "no",
    }
    manifest = composed("virtual_machine", said)
    machines = only(manifest).machines
    assert [(m.name, m.address, m.gateway) for m in machines] == [
        ("svc-1", "10.20.0.50/24", "10.20.0.1"),
        ("svc-7", "10.20.0.51/24", "10.20.0.1"),
    ]
    assert all([(d.interface, d.disk_gib) for d in m.data_disks] == [("scsi1", 100), ("scsi2", 200)] for m in machines)
    assert all({"app", "until-2027-03-31"} < set(m.tags) and not m.on_boot and m.domain == "example.org" for m in machines)
    assert all(m.description and "2027-03-31" in m.description for m in machines)
    assert errors(reviewed(manifest)) == []


TWO = four_nodes(
    networks=(
        *(one for one in four_nodes().networks if one.name != "30"),
        Network(
            name="30", bridge="net30", vlan_tag=None, nodes=("pve1", "pve2"), subnet="10.30.0.0/24", subnet6="2001:db8:30::/64", zone="lan"
        ),
    )
)


def test_machines_have_a_card_on_each_network_with_addresses_of_both_families() -> None:
    said = {"count": "2", "more_networks": "30", "more_addresses": "10.30.0.5, 10.30.0.6"} | {
        "address": "10.20.0.50, 10.20.0.51, 2001:db8:20::50/64, 2001:db8:20::51/64",
        "gateway": "10.20.0.1",
    }
    manifest = composed("virtual_machine", VM | said, TWO)
    first, second = only(manifest).machines
    assert (first.address, first.address6, first.gateway6) == ("10.20.0.50/24", "2001:db8:20::50/64", None)
    assert second.every_card[1] == Card(bridge="net30", vlan_tag=None, address="10.30.0.6/24")
    assert {first.node, second.node} <= {"pve1", "pve2"}, "where both networks are"
    assert second.every_card_spelled == "vmbr0, VLAN 20; net30, 10.30.0.6/24"
    assert second.fixed_addresses == ("10.20.0.51/24", "2001:db8:20::51/64", "10.30.0.6/24")
    assert any("/net30" in path for path, _ in only(manifest).rights)
    assert "another card on net30, 10.30.0.5/24" in only(manifest).resources[0].where
    assert errors(reviewed(manifest, TWO)) == []
    taken = four_nodes(networks=TWO.networks, guests=(guest(300, "old", "pve1").model_copy(update={"addresses": ("10.30.0.6",)}),))
    assert errors(reviewed(manifest, taken)) == ["address"]


def test_an_address_is_for_the_card_in_whose_subnet_it_is_and_a_card_without_one_asks_for_it() -> None:
    third = Network(name="40", bridge="vmbr0", vlan_tag=40, nodes=("pve1", "pve2"), subnet="10.40.0.0/24")
    seen = four_nodes(networks=(*TWO.networks, third))
    said = {"more_networks": "30, 40", "more_addresses": "10.40.0.9, 10.30.0.9"}
    [machine] = only(composed("virtual_machine", VM | said, seen)).machines
    assert [card.address for card in machine.every_card] == ["dhcp", "10.30.0.9/24", "10.40.0.9/24"]
    [plain] = only(composed("virtual_machine", VM | {"more_networks": "40"}, seen)).machines
    assert [card.address for card in plain.every_card] == ["dhcp", "dhcp"]
    alone = four_nodes(networks=(Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=("pve1",), subnet="2001:db8::/64"),))
    [six] = only(composed("virtual_machine", VM | {"address": "2001:db8::7"}, alone)).machines
    assert (six.address, six.address6, six.address_alone) == ("", "2001:db8::7/64", "2001:db8::7")


def test_a_change_keeps_the_cards_and_their_addresses() -> None:
    old = composed("virtual_machine", VM | {"more_networks": "30", "more_addresses": "10.30.0.5"}, TWO)
    built = four_nodes(networks=TWO.networks, guests=(guest(20000, "vm-01", "pve1", memory_gib=8, disk_gib=60),))
    new = grown(old, VM | {"more_networks": "30", "memory": "16 GB"}, built)
    assert not isinstance(new, str)
    assert only(new).machines[0].cards == only(old).machines[0].cards


def test_data_disks_take_room_and_pass_over_what_the_template_has() -> None:
    full = offered("virtual_machine", VM | {"data_disks": "9 TB"}, four_nodes())[1].parts[0]
    assert full.candidates == () and any("storage" in one.reason for one in full.exclusions)
    taken = four_nodes(templates=(template(9000, "debian-12", "pve1").model_copy(update={"drives": ("ide2", "scsi0", "scsi1")}),))
    [machine] = only(composed("virtual_machine", VM | {"data_disks": "10 GB"}, taken)).machines
    assert machine.data_disks == (DataDisk(interface="scsi2", disk_gib=10),)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"address": "10.99.0.5", "gateway": "10.99.0.1"}, "it is not in network 20"),
        ({"address": "10.20.0.255", "gateway": "10.20.0.1"}, "the first or last one"),
        ({"address": "10.20.0.1", "gateway": "10.20.0.1"}, "the gateway's own"),
        ({"bridge": "vmbr9"}, "There is no bridge called vmbr9"),
        ({"more_networks": "77"}, "There is no VLAN 77"),
        ({"address": "2001:db8::5"}, "no subnet of IPv6 that is known"),
    ],
)
def test_what_does_not_go_with_the_network_is_left_out_with_the_reason(said: dict[str, str], reason: str) -> None:
    _, offer = offered("virtual_machine", VM | said, four_nodes())
    assert offer.parts[0].candidates == ()
    assert any(reason in one.reason for one in offer.parts[0].exclusions)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"data_disks": ()}, "disk.data"),
        ({"data_disks": (DataDisk(interface="scsi0", disk_gib=100),)}, "disk.data"),
        ({"address": "10.99.0.5/24"}, "address"),
    ],
)
def test_a_machine_that_is_not_as_asked_is_found(changes: dict[str, object], check: str) -> None:
    manifest = composed("virtual_machine", VM | {"data_disks": "100 GB", "address": "10.20.0.5/24", "gateway": "10.20.0.1"})
    assert check in errors(reviewed(spoilt(manifest, **changes)))


def test_a_data_disk_lies_where_it_was_said_takes_its_room_there_and_is_mounted() -> None:
    hdd = tuple(storage("ceph-hdd", node, shared=True, total_gib=1000, used_gib=100) for node in NAMES[:2])
    seen = four_nodes(storages=(*four_nodes().storages, *hdd))
    said = VM | {"data_disks": "500 GB on ceph-hdd at /srv/data, 20 GB", "storage": "ceph-vm"}
    manifest = composed("virtual_machine", said, seen)
    [machine] = only(manifest).machines
    assert machine.node in NAMES[:2], "the others lack that storage"
    placed = DataDisk(interface="scsi1", disk_gib=500, storage="ceph-hdd", folder="/srv/data", serial="berth-scsi1")
    assert machine.data_disks == (placed, DataDisk(interface="scsi2", disk_gib=20))
    assert (machine.gib_on("ceph-hdd"), machine.gib_on("ceph-vm")) == (500, machine.disk_gib + 20)
    configure = only(manifest).configure
    assert configure and configure.variables["base_disks"] == [{"group": "", "serial": "berth-scsi1", "folder": "/srv/data"}]
    assert errors(reviewed(manifest, seen)) == []
    assert ("/storage/ceph-hdd", ("Datastore.AllocateSpace", "Datastore.Audit")) in only(manifest).rights
    held = chain.reserves(only(manifest))
    assert [(one.disk_gib, one.further) for one in held.machines] == [(machine.disk_gib + 20, (("ceph-hdd", 500),))]
    assert errors(reviewed(composed("virtual_machine", VM | {"data_disks": "300 GB on ceph-hdd"}, seen, held), seen, held)) == [
        "storage.room"
    ]
    for odd in ("1 GB on ceph-hd", "1 GB on nfs"):
        assert not offered("virtual_machine", VM | {"data_disks": odd}, seen)[1].parts[0].candidates


def test_a_data_disk_that_exists_stays_grows_and_is_never_lost() -> None:
    old = composed("virtual_machine", VM | {"name": "svc-1", "data_disks": "100 GB"})
    machine = only(old).machines[0]
    there = guest(machine.vm_id, "svc-1", machine.node).model_copy(update={"data_disks_gib": (("scsi1", 100),)})
    built = four_nodes(guests=(there,))
    more = grown(old, VM | {"name": "svc-1", "data_disks": "150 GB, 50 GB"}, built)
    assert not isinstance(more, str)
    assert [(d.interface, d.disk_gib) for d in only(more).machines[0].data_disks] == [("scsi1", 150), ("scsi2", 50)]
    for smaller in ({}, {"data_disks": "100 GB on nfs"}, {"data_disks": "100 GB at /srv"}, {"data_disks": "50 GB"}):
        refused = grown(old, VM | {"name": "svc-1"} | smaller, built)
        assert isinstance(refused, str) and ("would be lost" in refused or "stays so" in refused)


def test_a_machine_that_exists_is_moved_by_no_plan_and_stays_where_the_cluster_moved_it() -> None:
    old = composed("virtual_machine", VM | {"name": "svc-1", "storage": "ceph-vm", "node": "pve1"})
    machine = only(old).machines[0]
    moved = four_nodes(guests=(guest(machine.vm_id, "svc-1", "pve2"),))
    same = VM | {"name": "svc-1", "storage": "ceph-vm", "node": "pve1"}
    assert not isinstance(grown(old, same | {"cpu_count": "2"}, moved), str)
    for elsewhere in ({"storage": "local-lvm"}, {"node": "pve3"}):
        refused = grown(old, same | elsewhere, moved)
        assert isinstance(refused, str) and "and a plan moves no" in refused


def test_machines_that_were_numbered_another_way_keep_their_names() -> None:
    old = composed("virtual_machine", VM | {"name": "web-01, web-02"})
    needs = required("virtual_machine", VM | {"name": "web", "count": "2"}).parts[0]
    old = old.model_copy(update={"parts": (old.parts[0].model_copy(update={"needs": needs}),)})
    built = four_nodes(guests=tuple(guest(m.vm_id, m.name, m.node) for m in old.parts[0].machines))
    more = grown(old, VM | {"name": "web", "count": "3"}, built)
    assert not isinstance(more, str)
    assert [m.name for m in only(more).machines] == ["web-01", "web-02", "web-1"]
