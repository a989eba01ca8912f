"""Whatever is sent, the answer is one of Proxmox's, never an accident of ours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_sim.http import Request
from cluster_sim.proxmox.options import OPTIONS
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import BERTH, Driver

KEYS = st.sampled_from([*sorted(OPTIONS), "net0", "net31", "scsi0", "scsi1", "ide2", "ipconfig0", "serial0", "unused0", "delete", "digest"])
_BITS = (
    "= , : 0 1 -5 99999999999999999999 dhcp ip gw 10.20.0.9/24 10.20.0.9 ceph-vm local-lvm virtio bridge vmbr0 tag 20 cloudinit "
    "vm-201-disk-0 none media=cdrom size 40G file order ; {{7*7}} größe 名前 ' ../.. model import-from current"
)
BITS = st.sampled_from(["", "\n", "\x00", '"', *_BITS.split()])
VALUES = st.lists(BITS, max_size=8).map("".join) | st.text(max_size=20)


@pytest.fixture(scope="module")
def made(four_nodes: World) -> Driver:
    pve = Driver(four_nodes)
    assert pve.clone(201, name="poor") == "OK"
    return pve


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_any_configuration_is_taken_or_refused(made: Driver, form: dict[str, str]) -> None:
    guest = "/nodes/pve1/qemu/201"
    answers = [made.answer("PUT", f"{guest}/config", form)]
    answers += [made.answer("GET", f"{guest}/{path}") for path in ("config", "pending", "status/current")]
    answers += [made.answer("GET", "/cluster/resources"), made.answer("POST", f"{guest}/status/start")]
    made.clock.advance(5)
    answers += [made.answer("GET", f"{guest}/agent/network-get-interfaces"), made.answer("POST", f"{guest}/status/stop")]
    made.clock.advance(5)
    assert not [a.reason for a in answers if "internal error" in (a.reason or "")]
    assert all(a.status in (200, 400, 403, 500) for a in answers)
    ends = [t.exitstatus for t in made.cluster.agenda.tasks.values()]
    assert not [e for e in ends if "internal error" in (e or "")]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.lists(
        st.sampled_from(["nodes", "pve1", "qemu", "201", "config", "%2e%2e", "%00", "tasks", "UPID:x", "storage", "ceph-vm", "", "ä"])
    ),
    st.binary(max_size=40),
)
def test_any_address_has_an_answer(made: Driver, method: str, parts: list[str], body: bytes) -> None:
    headers = {"Authorization": f"PVEAPIToken={BERTH}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = made.front(Request(method, "/api2/json/" + "/".join(parts), (), headers, body))
    assert "internal error" not in (answer.reason or "")
    assert answer.reason is None or "\n" not in answer.reason


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1, 2]"),
        ("multipart/form-data; boundary=x", b"nothing of the sort"),
        ("application/x-www-form-urlencoded", b"\xff\xfe%%%"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(made: Driver, kind: str, body: bytes) -> None:
    headers = {"Authorization": f"PVEAPIToken={BERTH}", "Content-Type": kind}
    answer = made.front(Request("POST", "/api2/json/nodes/pve1/qemu/9000/clone", (), headers, body))
    assert answer.status == 400
    assert "internal error" not in (answer.reason or "")
