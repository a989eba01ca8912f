"""The guest agent: answers only where the configuration has one, the guest runs, and it has booted."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any

from . import bodies
from .addressing import cards_of
from .call import Call
from .errors import failed
from .lines import read_pairs
from .state import Guest


def has_agent(guest: Guest) -> bool:
    said = read_pairs(guest.config.get("agent", "0"))
    return (said.get("enabled") or said.get("", "0")) == "1"


def answering(call: Call) -> Guest:
    guest = call.guest
    if not has_agent(guest):
        raise failed("No QEMU guest agent configured")
    if not guest.running:
        raise failed(f"VM {guest.vmid} is not running")
    if not bodies.is_up(call.cluster, guest) or not bodies.has_agent(call.cluster, guest):
        raise failed("QEMU guest agent is not running")
    return guest


def ping(call: Call) -> dict[str, Any]:
    answering(call)
    return {"result": {}}


def interfaces(call: Call) -> dict[str, Any]:
    guest = answering(call)
    rows: list[dict[str, Any]] = [_interface("lo", "00:00:00:00:00:00", [("127.0.0.1", 8, "ipv4"), ("::1", 128, "ipv6")])]
    for number, (mac, addresses) in enumerate(guest.held_by_card or cards_of(call.cluster, guest)):
        if addresses:
            given = [(str(one.ip), one.network.prefixlen, f"ipv{one.version}") for one in map(ip_interface, addresses)]
            rows.append(_interface(f"eth{number}", mac.lower(), [*given, (_link_local(mac), 64, "ipv6")]))
    return {"result": rows}


def system(call: Call) -> dict[str, Any]:
    guest = answering(call)
    return {"result": {"id": "debian" if "debian" in guest.default_user else "ubuntu", "kernel-release": "6.1.0", "machine": "x86_64"}}


def host_name(call: Call) -> dict[str, Any]:
    return {"result": {"host-name": answering(call).name}}


def execute(call: Call) -> dict[str, Any]:
    """Runs a command in the guest's body. A guest that is only figures has nothing to run it in."""
    guest, cluster = answering(call), call.cluster
    bodies, argv = cluster.bodies, [str(part) for part in call.values["command"]]
    if not guest.has_body or bodies is None:
        raise failed(f"Agent error: Guest agent command failed, error was 'Failed to execute child process “{argv[0]}”'")
    pid = 1000 + cluster.fresh()
    cluster.commands[(guest.vmid, pid)] = cluster.in_thread(lambda: bodies.exec(str(guest.vmid), argv))
    return {"pid": pid}


def executed(call: Call) -> dict[str, Any]:
    guest = answering(call)
    running = call.cluster.commands.get((guest.vmid, call.values["pid"]))
    if running is None:
        raise failed(f"Agent error: PID {call.values['pid']} does not exist")
    if not running.done():
        return {"exited": 0}
    trouble = running.exception()
    if trouble is not None:
        return {"exited": 1, "exitcode": 127, "err-data": f"{trouble}\n"}
    done = running.result()
    answer: dict[str, Any] = {"exited": 1, "exitcode": done.returncode}
    answer |= {"out-data": done.stdout} if done.stdout else {}
    return answer | ({"err-data": done.stderr} if done.stderr else {})


def _interface(name: str, mac: str, addresses: list[tuple[str, int, str]]) -> dict[str, Any]:
    return {
        "name": name,
        "hardware-address": mac,
        "ip-addresses": [{"ip-address": a, "prefix": prefix, "ip-address-type": kind} for a, prefix, kind in addresses],
        "statistics": dict.fromkeys(
            ("rx-bytes", "rx-dropped", "rx-errs", "rx-packets", "tx-bytes", "tx-dropped", "tx-errs", "tx-packets"), 0
        ),
    }


def _link_local(mac: str) -> str:
    b = [int(part, 16) for part in mac.split(":")]
    return f"fe80::{b[0] ^ 2:02x}{b[1]:02x}:{b[2]:02x}ff:fe{b[3]:02x}:{b[4]:02x}{b[5]:02x}"
