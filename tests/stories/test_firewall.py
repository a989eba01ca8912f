"""Ports of a machine that runs are opened and closed by words, seen by whoever asks, and what somebody changed by hand is told."""

from __future__ import annotations

import pytest

from tests.conftest import Berth
from tests.stories.test_new_network import call

pytestmark = pytest.mark.systems

FIREWALL = "/nodes/{node}/qemu/{vm_id}/firewall"


def opened(berth: Berth, at: str) -> list[tuple[str, str]]:
    """(ports, source) of every rule that is on."""
    return [(row.get("dport", ""), row.get("source", "")) for row in call(berth, "GET", f"{at}/rules") if row["enable"]]


@pytest.mark.timeout(900)
def test_ports_of_a_machine_are_opened_seen_held_against_and_closed(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("a web server called door-1, development, network 20, no key, open port 8080")
    assert "The datacentre's firewall is off" in planned.text and "22, 80, 9100, 8080" in planned.text
    done = chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "done", done.text
    [machine] = chat.machines
    at = FIREWALL.format(node=machine.node, vm_id=machine.vm_id)
    assert opened(berth, at) == [("22", ""), ("80", ""), ("9100", ""), ("8080", "")]
    assert (call(berth, "GET", f"{at}/options")["enable"], call(berth, "GET", "/cluster/firewall/options").get("enable")) == (1, None)
    assert chat.run.receipt is not None
    assert any("firewall of door-1 is on, with 4 rules" in sentence for sentence in chat.run.receipt.parts[0].verified)

    chat.say("open port 8443 on door-1 from 10.0.0.0/8")
    assert chat.changes == {"update": 1} and not any(change.restarts for part in chat.plan.plan.parts for change in part.changes)
    done = chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "done", done.text
    asked = "would let in 22, 80, 9100, 8080 and 8443 from 10.0.0.0/8, and nothing else"
    assert asked in chat.say("what is open on door-1?").text
    assert chat.drift() == ()

    call(berth, "POST", f"{at}/rules", type="in", action="ACCEPT", proto="tcp", dport="23", enable=1)
    [drifted] = chat.drift()
    assert (drifted.action, drifted.name) == ("update", "firewall of door-1")
    assert "would let in 23, 22" in chat.say("what is open on door-1?").text

    chat.say("close 8080")
    chat.say(f"approve {chat.open_digest}")
    assert opened(berth, at) == [("22", ""), ("80", ""), ("9100", ""), ("8443", "10.0.0.0/8")], "what nobody approved is gone"
    chat.say("remove it")
    chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "removed"
