"""Rules stand at places, are what Proxmox VE takes, and count where the cluster's, the guest's and the card's firewall are on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_sim.proxmox.access import Grant
from cluster_sim.proxmox.rules import lets_in, macros
from cluster_sim.proxmox.saving import restore, save
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import APPLY, SCAN, Driver, Refused

VM = "/nodes/pve1/qemu/201/firewall"
HTTPS = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "443"}


@pytest.fixture
def pve(four_nodes: World) -> Driver:
    pve = Driver(four_nodes)
    pve.cluster.access.grants.append(Grant("/", "berth@pve", "Administrator"))
    assert pve.clone(201) == "OK"
    return pve


def ports(pve: Driver, at: str = VM) -> list[str]:
    rows = pve.get(f"{at}/rules")
    assert [row["pos"] for row in rows] == list(range(len(rows)))
    return [row["dport"] for row in rows]


def fill(pve: Driver, *dports: int, **more: Any) -> None:
    """So that they stand in this order: a new rule is the first one."""
    for dport in reversed(dports):
        pve.post(f"{VM}/rules", **{**HTTPS, "dport": dport, **more})


def test_a_new_rule_is_the_first_one_and_is_off_until_told(pve: Driver) -> None:
    pve.post(f"{VM}/rules", **HTTPS)
    pve.post(f"{VM}/rules", **{**HTTPS, "dport": "8000:8100,22"}, enable=1, source="10.0.0.0/8,192.168.1.1", comment="Ours")
    first, second = pve.get(f"{VM}/rules")
    assert (first["dport"], first["enable"], first["ipversion"], first["comment"]) == ("8000:8100,22", 1, 4, "Ours")
    assert (second["dport"], second["enable"], second["digest"]) == ("443", 0, first["digest"])
    assert pve.get(f"{VM}/rules/1")["pos"] == "1"


@pytest.mark.parametrize(
    ("at", "to", "after"),
    [
        (0, 2, ["2", "1", "3", "4"]),  # before the one that stands there, as Proxmox VE does
        (0, 9, ["2", "3", "4", "1"]),
        (3, 0, ["4", "1", "2", "3"]),
        (2, 1, ["1", "3", "2", "4"]),
        (1, 1, ["1", "2", "3", "4"]),
    ],
)
def test_a_rule_is_moved(pve: Driver, at: int, to: int, after: list[str]) -> None:
    fill(pve, 1, 2, 3, 4)
    pve.put(f"{VM}/rules/{at}", moveto=to)
    assert ports(pve) == after


def test_a_rule_is_changed_and_taken_away_by_whoever_knows_what_there_is(pve: Driver) -> None:
    fill(pve, 1, 2, source="10.0.0.0/8")
    digest = pve.get(f"{VM}/rules")[0]["digest"]
    pve.put(f"{VM}/rules/1", source="", dport=3, digest=digest)
    assert "source" not in pve.get(f"{VM}/rules/1") and ports(pve) == ["1", "3"]
    for refused in (lambda: pve.put(f"{VM}/rules/1", dport=4, digest=digest), lambda: pve.delete(f"{VM}/rules/1", digest=digest)):
        with pytest.raises(Refused, match="detected modified configuration - file changed by other user"):
            refused()
    pve.delete(f"{VM}/rules/0")
    assert ports(pve) == ["3"]
    pve.call("PUT", f"{VM}/rules/0", {"delete": "dport"})
    assert "dport" not in pve.get(f"{VM}/rules/0")


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        ({"dport": "70000"}, "dport", "invalid port '70000'"),
        ({"dport": "90:80"}, "dport", "backwards range '90:80' not allowed, did you mean '80:90'?"),
        ({"dport": "80,"}, "dport", "extraneous commas in list"),
        ({"dport": "gopher"}, "dport", "invalid port 'gopher'"),
        ({"dport": ",".join(map(str, range(1, 17)))}, "dport", "too many entries in port list"),
        ({"proto": "tpc"}, "proto", "unknown protocol 'tpc'"),
        ({"proto": ""}, "proto", "'dport' requires this property"),
        ({"proto": "esp"}, "dport", "protocol 'esp' does not support ports"),
        ({"source": "10.0.0.0/33"}, "source", "invalid IP address"),
        ({"source": "10.0.0.5/24"}, "source", "invalid IP address"),
        ({"source": "10.0.0.1,fd00::1"}, "source", "detected mixed ipv4/ipv6 addresses in address list"),
        ({"source": "10.0.0.1-10.0.0.9,10.1.0.1"}, "source", "you can't use a range in a list"),
        ({"source": "10.0.0.1", "dest": "fd00::1"}, "dest", "detected mixed ipv4/ipv6 addresses in rule"),
        ({"source": "+office"}, "source", "no such ipset 'office'"),
        ({"source": "office"}, "source", "no such alias 'office'"),
        ({"type": "forward"}, "type", "invalid rule type 'forward' for rule_env 'vm'"),
        ({"type": "sideways"}, "type", "does not have a value in the enumeration"),
        ({"action": "ALLOW"}, "action", "unknown action 'ALLOW'"),
        ({"iface": "eth0"}, "iface", r"does not match the regex pattern 'net\d+'"),
        ({"macro": "Webb"}, "macro", "unknown macro 'Webb'"),
        ({"macro": "Web", "dport": "8080"}, "dport", "parameter 'dport' already define in macro (value = '80')"),
        ({"icmp-type": "echo-request"}, "proto", "'icmp-type' requires this property"),
        ({"proto": "icmp", "dport": "", "icmp-type": "no-route"}, "icmp-type", "invalid icmp-type 'no-route' for proto 'icmp'"),
        ({"log": "loud"}, "log", "does not have a value in the enumeration"),
        ({"port": "80"}, "port", "property is not defined in schema"),
    ],
)
def test_what_is_no_rule_is_refused(pve: Driver, form: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        pve.call("POST", f"{VM}/rules", HTTPS | form)
    assert refused.value.status == 400 and words in refused.value.errors[name]
    assert ports(pve) == []


def test_a_place_without_a_rule_is_told_as_such(pve: Driver) -> None:
    fill(pve, 1)
    for call in ("GET", "PUT", "DELETE"):
        with pytest.raises(Refused, match="no rule at position 1") as refused:
            pve.call(call, f"{VM}/rules/1")
        assert refused.value.status == 500


def test_options_are_set_and_taken_back(pve: Driver) -> None:
    pve.put(f"{VM}/options", enable=1, policy_in="DROP", dhcp=1)
    before = pve.get(f"{VM}/options")
    assert {key: before[key] for key in ("enable", "policy_in", "dhcp")} == {"enable": 1, "policy_in": "DROP", "dhcp": 1}
    pve.call("PUT", f"{VM}/options", {"delete": "dhcp", "digest": before["digest"]})
    assert "dhcp" not in pve.get(f"{VM}/options")
    with pytest.raises(Refused, match="detected modified configuration"):
        pve.put(f"{VM}/options", enable=0, digest=before["digest"])
    for form in ({"policy_in": "ALLOW"}, {"enable": "perhaps"}, {"delete": "nothing"}):
        with pytest.raises(Refused):
            pve.call("PUT", f"{VM}/options", form)
    pve.put("/cluster/firewall/options", enable=2)
    assert pve.get("/cluster/firewall/options")["enable"] == int(pve.cluster.now), "when it was turned on"


def test_sets_and_aliases_are_named_by_rules(pve: Driver) -> None:
    pve.post("/cluster/firewall/ipset", name="office")
    pve.post("/cluster/firewall/ipset/office", cidr="10.1.2.3/16")
    pve.post(f"{VM}/aliases", name="Desk", cidr="10.9.0.7")
    fill(pve, 443, source="+dc/office")
    fill(pve, 22, source="desk")
    assert [row["source"] for row in pve.get(f"{VM}/rules")] == ["desk", "+dc/office"]
    assert [row["cidr"] for row in pve.get("/cluster/firewall/ipset/office")] == ["10.1.0.0/16"]
    assert {(row["ref"], row["scope"]) for row in pve.get(f"{VM}/refs")} == {("+office", "dc"), ("desk", "guest")}
    with pytest.raises(Refused, match="IPSet 'office' is not empty"):
        pve.delete("/cluster/firewall/ipset/office")
    for form, words in (({"cidr": "10.1.0.0/16"}, "already exists"), ({"cidr": "0.0.0.0/0"}, "a zero prefix is not allowed")):
        with pytest.raises(Refused) as refused:
            pve.call("POST", "/cluster/firewall/ipset/office", form)
        assert words in refused.value.errors["cidr"]
    pve.delete("/cluster/firewall/ipset/office/10.1.0.0%2F16")
    assert pve.get("/cluster/firewall/ipset/office") == []


def test_a_security_group_is_many_rules_in_one(pve: Driver) -> None:
    pve.post("/cluster/firewall/groups", group="web")
    pve.post("/cluster/firewall/groups/web", **HTTPS, enable=1)
    pve.post(f"{VM}/rules", type="group", action="web", enable=1)
    on(pve)
    assert opens(pve, 443) and not opens(pve, 80)
    with pytest.raises(Refused, match="Security group 'web' is not empty"):
        pve.delete("/cluster/firewall/groups/web")
    pve.post("/cluster/firewall/groups", group="shop", rename="web")
    assert pve.get(f"{VM}/rules")[0]["action"] == "shop" and opens(pve, 443)
    with pytest.raises(Refused) as refused:
        pve.post("/cluster/firewall/groups/shop", **HTTPS, iface="net0")
    assert "not allowed for this rule type" in refused.value.errors["type"]


def on(pve: Driver) -> None:
    pve.put("/cluster/firewall/options", enable=1)
    pve.put(f"{VM}/options", enable=1)


def opens(pve: Driver, port: int, source: str = "10.20.0.7", proto: str = "tcp", *, guarded: bool = True) -> bool:
    return lets_in(pve.cluster.firewall, 201, guarded, proto, port, source)


def test_rules_count_where_all_three_are_on(pve: Driver) -> None:
    fill(pve, 443, source="10.0.0.0/8", enable=1)
    assert opens(pve, 22), "the cluster's is off"
    pve.put("/cluster/firewall/options", enable=1)
    assert opens(pve, 22), "the guest's is off"
    pve.put(f"{VM}/options", enable=1)
    assert opens(pve, 22, guarded=False), "the card's is off"
    assert not opens(pve, 22) and opens(pve, 443) and not opens(pve, 443, "192.168.1.1") and not opens(pve, 443, proto="udp")


def test_the_first_rule_that_fits_decides_and_one_that_is_off_does_not_count(pve: Driver) -> None:
    on(pve)
    fill(pve, 443, enable=1, source="10.0.0.1-10.0.0.9", action="DROP")
    fill(pve, 80, enable=0)
    pve.post(f"{VM}/rules", type="in", action="ACCEPT", macro="ssh", enable=1)
    assert pve.get(f"{VM}/rules")[0]["macro"] == "SSH"
    pve.put(f"{VM}/options", policy_in="ACCEPT")
    assert opens(pve, 22) and opens(pve, 443) and not opens(pve, 443, "10.0.0.5")
    pve.put(f"{VM}/options", policy_in="DROP")
    assert opens(pve, 22) and not opens(pve, 80) and not opens(pve, 443)


def test_every_macro_says_what_it_lets_through() -> None:
    assert len(macros()) == 86 and macros()["Web"] == ("tcp/80", "tcp/443") and all(macros().values())


def test_whoever_may_change_a_guests_network_changes_its_rules_and_nobody_elses(pve: Driver) -> None:
    assert pve.end(pve.post("/nodes/pve1/qemu/9000/clone", newid=202, full=1, pool="berth")) == "OK"
    mine = Driver(pve.world, token=APPLY)
    mine.cluster, mine.front = pve.cluster, pve.front
    mine.post("/nodes/pve1/qemu/202/firewall/rules", **HTTPS)
    for method, path, form in (
        ("POST", f"{VM}/rules", HTTPS),
        ("PUT", "/cluster/firewall/options", {"enable": 1}),
        ("POST", "/cluster/firewall/rules", HTTPS),
    ):
        with pytest.raises(Refused) as refused:
            mine.call(method, path, form)
        assert refused.value.status == 403
    mine.token = SCAN
    assert mine.get("/cluster/firewall/options").keys() == {"digest"} and mine.get(f"{VM}/rules") == []
    with pytest.raises(Refused, match=r"VM\.Config\.Network"):
        mine.post(f"{VM}/rules", **HTTPS)


def test_rules_go_with_their_guest_are_cloned_with_it_and_outlast_a_stop(pve: Driver, tmp_path: Path) -> None:
    fill(pve, 443, enable=1)
    assert pve.end(pve.post("/nodes/pve1/qemu/201/clone", newid=203, full=1)) == "OK"
    assert ports(pve, "/nodes/pve1/qemu/203/firewall") == ["443"]
    assert pve.end(pve.delete("/nodes/pve1/qemu/201", purge=1)) == "OK"
    assert 201 not in pve.cluster.firewall.guests
    again, world = Driver(pve.world), pve.world.proxmox
    assert world is not None
    save(pve.cluster, world, tmp_path / "state.json")
    assert restore(again.cluster, world, tmp_path / "state.json")
    assert again.cluster.firewall == pve.cluster.firewall
