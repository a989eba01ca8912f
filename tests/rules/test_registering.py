"""Which names machines get, and what a name server is told of them."""

from __future__ import annotations

import pytest
from clusters import SITE
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tools.clients.name_server import Key, read_key
from tools.rules.machines.registering import every_address, fixed_addresses, records, registering, spoken, without_way_back
from tools.values.machine import Machine
from tools.values.manifest import Part, TlsCertificate
from tools.values.requirements import Field, Needs, Origin
from tools.values.site import Ipam, NameServer
from tools.values.value import Named

ZONES = ("example.org", "dmz.example.org", "0.10.in-addr.arpa", "30.0.10.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa")
VIRTUAL = (("virtual_address", "10.0.30.9/24"),)
SERVER = NameServer(server="ns.example.org", zones=ZONES, key="env:KEY")


def machine(name: str, address: str = "dhcp", address6: str | None = None, domain: str | None = None) -> Machine:
    return Machine(
        **{"name": name, "vm_id": 1, "node": "pve1", "template_vm_id": 9000, "template_node": "pve1", "storage": "local"},
        **{"disk_interface": "scsi0", "disk_gib": 8, "memory_mib": 2048, "cpu_count": 2, "bridge": "vmbr0", "vlan_tag": None},
        **{"user_name": "ops", "public_keys": (), "address": address, "address6": address6, "domain": domain},
    )


def part(*machines: Machine, label: str = "web_tier", name: str = "", virtual: Named = (), certified: tuple[str, ...] = ()) -> Part:
    said = (Field(name="name", value=name, origin=Origin.SAID),) if name else ()
    needs = Needs(capability=label, label=label, platform="proxmox", fields=said)
    fixed = {"label": label, "capability": label, "platform": "proxmox", "candidate": "a", "because": "", "module": "machines"}
    made = Part(
        **fixed,
        needs=needs,
        machines=machines,
        resources=(),
        virtual_addresses=virtual,
        certificates=(TlsCertificate(name="tls", names=certified),),
    )
    (named,) = registering([made], SITE.model_copy(update={"names": SERVER}))
    return named


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (part(machine("db-01")), {"db-01": "db-01.example.org"}),
        (part(machine("DB-01", domain="dmz.example.org.")), {"DB-01": "db-01.dmz.example.org"}),
        (part(machine("db-01", domain="far.dmz.example.org")), {"db-01": "db-01.far.dmz.example.org"}),
        (part(machine("db-01", domain="notexample.org")), {"db-01": "db-01.example.org"}),
        (
            part(machine("a-1"), virtual=VIRTUAL),
            {"a-1": "a-1.example.org", "virtual_address": "web-tier.example.org"},
        ),
        (
            part(machine("shop"), name="shop", virtual=VIRTUAL),
            {"shop": "shop.example.org", "virtual_address": "shop-virtual-address.example.org"},
        ),
        (
            part(machine("a-1"), virtual=VIRTUAL, certified=("a-1", "shop.example.com", "Shop.example.org", "10.0.30.9")),
            {"a-1": "a-1.example.org", "virtual_address": "shop.example.org"},
        ),
    ],
)
def test_each_machine_and_each_virtual_address_gets_a_name(made: Part, names: dict[str, str]) -> None:
    assert dict(made.dns_names) == names


@pytest.mark.parametrize(
    ("made", "where", "registered"),
    [
        (part(machine("a")), "", []),
        (part(machine("a", "10.0.30.5/24", "2001:db8::5/64")), "NetBox", [("10.0.30.5/24", "a"), ("2001:db8::5/64", "a")]),
        (part(machine("a"), machine("b"), virtual=VIRTUAL), "NetBox", [("10.0.30.9/24", "a")]),
    ],
)
def test_every_fixed_address_is_registered_where_the_site_has_a_register(made: Part, where: str, registered: list[tuple[str, str]]) -> None:
    ipam = Ipam(url="https://netbox.example.org", token="env:TOKEN")
    (told,) = registering([made], SITE.model_copy(update={"ipam": ipam}))
    assert told.registered_in == where and [(address, one.name) for address, one in every_address(told)] == registered


def test_where_the_site_names_no_server_nothing_gets_a_name() -> None:
    assert registering([part(machine("db-01")).model_copy(update={"dns_names": ()})], SITE)[0].dns_names == ()


def test_records_lead_there_and_back_in_the_narrowest_zone() -> None:
    made = part(
        machine("a", "10.0.30.5/24", "2001:db8::5/64"), machine("b", "10.0.7.1/24", domain="dmz.example.org"), machine("c", "192.0.2.9/24")
    )
    addresses = fixed_addresses(made)
    found = records(made.dns_names, addresses, ZONES)
    six = "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    assert [(one.zone, one.name, one.kind, one.data) for one in found] == [
        ("example.org", "a.example.org", "A", "10.0.30.5"),
        ("30.0.10.in-addr.arpa", "5.30.0.10.in-addr.arpa", "PTR", "a.example.org"),
        ("example.org", "a.example.org", "AAAA", "2001:db8::5"),
        ("8.b.d.0.1.0.0.2.ip6.arpa", six, "PTR", "a.example.org"),
        ("dmz.example.org", "b.dmz.example.org", "A", "10.0.7.1"),
        ("0.10.in-addr.arpa", "1.7.0.10.in-addr.arpa", "PTR", "b.dmz.example.org"),
        ("example.org", "c.example.org", "A", "192.0.2.9"),
    ]
    assert without_way_back(addresses, ZONES) == ("192.0.2.9",)
    assert list(spoken(found)) == [
        "a.example.org leads to 10.0.30.5 and 2001:db8::5, and 10.0.30.5 and 2001:db8::5 lead back.",
        "b.dmz.example.org leads to 10.0.7.1, and 10.0.7.1 leads back.",
        "c.example.org leads to 192.0.2.9.",
    ]


@pytest.mark.parametrize("zones", [(), ("30.0.10.in-addr.arpa",), ("exa mple.org",), ("-a.org",), ("a..org",), ("a" * 64 + ".org",)])
def test_a_site_file_s_zones_have_to_be_zones(zones: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        NameServer(server="ns", zones=zones, key="env:KEY")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('key "berth" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n', Key("berth", "hmac-sha256", "c2VjcmV0")),
        (
            "# by tsig-keygen\nkey berth.example { algorithm HMAC-SHA512; secret c2VjcmV0; }",
            Key("berth.example", "hmac-sha512", "c2VjcmV0"),
        ),
        ("hmac-sha256:berth:c2VjcmV0\n", Key("berth", "hmac-sha256", "c2VjcmV0")),
        ("hmac-md5:berth:c2VjcmV0", None),
        ("hmac-sha256:berth:c2Vjc", None),
        ("c2VjcmV0", None),
        ("", None),
    ],
)
def test_a_key_is_read_as_its_tools_print_it(text: str, key: Key | None) -> None:
    assert read_key(text) == key


@given(st.text(max_size=200))
def test_whatever_else_stands_there_is_no_key(text: str) -> None:
    found = read_key(text)
    assert found is None or found.secret in text


def test_a_key_never_shows_its_secret() -> None:
    assert "c2VjcmV0" not in repr(Key("berth", "hmac-sha256", "c2VjcmV0"))
