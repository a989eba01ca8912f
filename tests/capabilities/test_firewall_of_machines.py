"""Ports that are said of machines on a cluster become rules of their firewalls, beside those that are their own; what may lock somebody out
is told before."""

from __future__ import annotations

import re

import pytest
from clusters import four_nodes, guest
from machine_chain import VM, composed, errors, grown, only, reviewed
from test_changes_of_machines import keep

from tools.capabilities import catalogue
from tools.platforms.proxmox import variables
from tools.rules.machines import firewall
from tools.rules.machines.firewall import Firewall, spell
from tools.rules.request.goals import hear
from tools.rules.request.ports import Ports, ports
from tools.values.machine import Rule
from tools.values.manifest import Manifest, Part
from tools.values.request import Request
from tools.values.review import Severity

BUILT = guest(20000, "vm-01", "pve1", cpus=4, memory_gib=8, disk_gib=60)
DATABASE = {"users": "100", "environment": "production", "network": "20", "virtual_address": "10.20.0.200"}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("443", Ports(443, 443, "tcp", ())),
        ("443/tcp", Ports(443, 443, "tcp", ())),
        ("53/udp", Ports(53, 53, "udp", ())),
        ("8000-8100 from 10.0.0.5/8", Ports(8000, 8100, "tcp", ("10.0.0.0/8",))),
        ("22 from 10.1.2.3 and fd00::/8", Ports(22, 22, "tcp", ("10.1.2.3/32", "fd00::/8"))),
        ("443 from anywhere", Ports(443, 443, "tcp", ())),
        ("443 from 0.0.0.0/0", Ports(443, 443, "tcp", ())),
    ],
)
def test_a_port_is_read_as_it_is_said(said: str, found: Ports) -> None:
    assert ports(said) == found


@pytest.mark.parametrize(
    "source",
    ["the office", "web-01", "web-01,0.0.0.0/0", "+dc/management", '"}; enable=0', "300.1.1.1", "10.0.0.0/33", "vpn"],
)
def test_whom_a_port_was_meant_for_is_never_widened_to_everybody(source: str) -> None:
    """Where it cannot be told who that is, it is asked."""
    for words in ("open port 443 from", "ports 80 and 443 only from"):
        heard = hear(f"a Debian VM with 2 cores on network 20, {words} {source}", Request(), catalogue())
        [value] = [edit.value for edit in heard.edits if edit.name == "ports"]
        assert isinstance(ports(value.split(", ")[-1]), str), value


def lets_in(part: Part, machine: int = 0) -> str:
    return spell(part.machines[machine].rules)


@pytest.mark.parametrize(
    ("capability", "said", "spelled"),
    [
        ("virtual_machine", {}, ""),
        ("virtual_machine", {"ports": "443"}, "22, 9100, 443"),
        ("virtual_machine", {"ports": "443 from 10.0.0.0/8, 53/udp"}, "22, 9100, 443 from 10.0.0.0/8, 53/udp"),
        ("virtual_machine", {"ports": "443 from 10.0.0.0/8 and fd00::/8"}, "22, 9100, 443 from 10.0.0.0/8, 443 from fd00::/8"),
        ("virtual_machine", {"ports": "22 from 10.0.0.0/8, 9000-9200"}, "22 from 10.0.0.0/8, 9000-9200"),
        ("web_server", {"ports": "8443 from 10.0.0.0/8"}, "22, 80, 9100, 8443 from 10.0.0.0/8"),
        ("web_server", {"ports": "80 from 10.0.0.0/8"}, "22, 9100, 80 from 10.0.0.0/8"),
        ("dns_resolver", {"ports": "8080"}, "22, 53, 53/udp, 9100, 8080"),
    ],
)
def test_what_was_said_and_what_is_its_own_comes_in(capability: str, said: dict[str, str], spelled: str) -> None:
    sizes = VM if capability == "virtual_machine" else {"network": "20", "environment": "development"}
    assert lets_in(only(composed(capability, sizes | said))) == spelled


def test_a_database_lets_in_who_asks_it_and_who_watches_it() -> None:
    part = only(composed("postgresql", {"users": "100", "environment": "production", "network": "20", "ports": "8080"}))
    assert lets_in(part) == "22, 5432, 9100, 9187, 8080"
    [machine] = variables(part)["machines"]
    assert machine["rules"][1] == {"protocol": "tcp", "ports": "5432", "source": "", "comment": "Berth: served"}


def test_machines_that_need_one_another_let_in_their_own_network() -> None:
    part = only(composed("database_cluster", DATABASE | {"ports": "8080"}))
    assert [lets_in(part, n) for n in range(3)] == ["22, 5000, 5001, 9100, 9187, 8080, everything from 10.20.0.0/24"] * 3
    unknown = part.model_copy(update={"facts": tuple((name, "" if name == "subnet" else one) for name, one in part.facts)})
    manifest = Manifest(requester="operator", made_by="rule", parts=(unknown,), snapshot_digests=())
    assert "firewall.network" in errors(reviewed(manifest))


APART = {"template", "vnet"}
"""No machine of theirs runs."""
ITSELF_ALONE = {9093}
"""Alertmanager answers none but its own machine."""


# A guide asks at some ports through SSH, so nobody forgets what a service serves.
@pytest.mark.parametrize("name", sorted(name for name, one in catalogue().items() if "proxmox" in one.ON and name not in APART))
def test_what_a_guide_asks_at_is_let_in(name: str) -> None:
    part = only(composed(name, {"network": "20", "environment": "production", "ports": "4711", **SAID.get(name, {})}))
    asked = {int(port) for one in part.commands for port in re.findall(r"-L \S+:localhost:(\d+)", " ".join(one.argv))}
    opened = {int(rule.ports) for machine in part.machines for rule in machine.rules if rule.ports and ":" not in rule.ports}
    assert part.machines and 4711 in opened and asked - ITSELF_ALONE <= opened, (asked, opened)


SAID: dict[str, dict[str, str]] = {
    "virtual_machine": VM,
    "postgresql": {"users": "100"},
    "mariadb": {"users": "100"},
    "database_cluster": {"users": "100", "virtual_address": "10.20.0.200"},
    "web_tier": {"virtual_address": "10.20.0.200"},
    "k3s_cluster": {"servers_count": "3", "api_address": "10.20.0.200"},
    "redis": {"data_size": "4 GB"},
    "nfs_server": {"data_size": "100 GB", "clients": "10.20.0.0/24"},
    "object_store": {"data_size": "100 GB"},
    "reverse_proxy": {"site_name": "shop.example.org", "backends": "10.20.0.10"},
    "dev_environment": {"count": "2"},
}


def test_a_template_with_rules_of_its_own_is_told_before_the_plan() -> None:
    ruled = four_nodes(templates=tuple(one.model_copy(update={"rules_count": 2}) for one in four_nodes().templates))
    assert errors(reviewed(composed("virtual_machine", VM | {"ports": "443"}, ruled), ruled)) == ["firewall.template"]
    assert errors(reviewed(composed("virtual_machine", VM, ruled), ruled)) == []


def test_a_firewall_stays_and_a_port_is_shut_by_leaving_it_out() -> None:
    old = only(composed("virtual_machine", VM | {"ports": "443, 8080"}))
    built = four_nodes(guests=(*four_nodes().guests, BUILT))
    new = grown(only_manifest(old), VM | {"ports": "443"}, built)
    assert isinstance(new, Manifest) and lets_in(only(new)) == "22, 9100, 443"
    bare = keep(old, only(composed("virtual_machine", VM)))
    assert lets_in(bare) == "22, 9100", "what is its own, and nothing else"


def only_manifest(part: Part) -> Manifest:
    return Manifest(requester="operator", made_by="rule", parts=(part,), snapshot_digests=())


@pytest.mark.parametrize(
    ("on", "ports", "told"),
    [
        (False, "443", ["firewall.on"]),
        (True, "443", []),
        (None, "443", []),
        (False, "", []),
        (True, "22 from 10.0.0.0/8", ["firewall.ssh"]),
        (True, "20-30 from 10.0.0.0/8", ["firewall.ssh"]),
    ],
)
def test_what_may_lock_out_or_does_not_count_is_told_before(on: bool | None, ports: str, told: list[str]) -> None:
    seen = four_nodes(firewall_on=on)
    review = reviewed(composed("virtual_machine", VM | ({"ports": ports} if ports else {}), seen), seen)
    assert [one.check for one in review.findings if one.check.startswith("firewall.")] == told
    assert all(one.severity is Severity.WARNING for one in review.findings if one.check.startswith("firewall."))


HTTPS = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "443", "source": "10.0.0.0/8", "enable": 1, "pos": 0}
RIGHT = {"enable": 1, "policy_in": "DROP"}


@pytest.mark.parametrize(
    ("options", "rules", "left_out", "told"),
    [
        (RIGHT, [HTTPS], (), ""),
        ({"enable": 1}, [HTTPS], (), ""),
        ({}, [HTTPS], (), "is off"),
        (RIGHT | {"policy_in": "ACCEPT"}, [HTTPS], (), "lets in what no rule names"),
        (RIGHT, [HTTPS], ("net0",), "leaves out net0"),
        (RIGHT, [], (), "lacks a rule: in ACCEPT tcp 443 10.0.0.0/8"),
        (RIGHT, [HTTPS | {"enable": 0}], (), "lacks a rule"),
        (RIGHT, [HTTPS, HTTPS | {"dport": "23"}], (), "a rule that was not approved: in ACCEPT tcp 23 10.0.0.0/8"),
        (RIGHT, [HTTPS, {"type": "in", "action": "ACCEPT", "macro": "Web", "enable": 1}], (), "in ACCEPT macro Web"),
        (RIGHT, [HTTPS | {"iface": "net1"}], (), "that was not approved"),
    ],
)
def test_a_firewall_is_held_against_what_was_approved(
    options: dict[str, object], rules: list[dict[str, object]], left_out: tuple[str, ...], told: str
) -> None:
    [machine] = only(composed("virtual_machine", VM)).machines
    machine = machine.model_copy(update={"rules": (Rule(protocol="tcp", ports="443", source="10.0.0.0/8", comment="x"),)})
    found: Firewall = firewall.firewall_of(options, rules, left_out)
    said = " ".join(firewall.differences(machine, found))
    assert told in said and bool(told) == bool(said)
