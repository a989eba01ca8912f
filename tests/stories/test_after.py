"""After the approval: what was made is changed in its place, and removed without touching anything else."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Berth, Chat, Reply

pytestmark = pytest.mark.systems


@pytest.fixture(scope="module")
def cluster(emulated_cluster: tuple[dict[str, Any], Path]) -> Iterator[httpx.Client]:
    """The cluster's own API: what is true there, whatever Berth says."""
    ready, _ = emulated_cluster
    given = {"Authorization": f"PVEAPIToken={ready['proxmox']['token']}"}
    trust = ssl.create_default_context(cafile=ready["ca_file"])
    with httpx.Client(base_url=ready["proxmox"]["url"] + "/api2/json", headers=given, verify=trust) as client:
        yield client


def guests(cluster: httpx.Client) -> dict[str, dict[str, Any]]:
    answer = cluster.get("/cluster/resources", params={"type": "vm"})
    answer.raise_for_status()
    return {str(guest["name"]): guest for guest in answer.json()["data"]}


def approve(chat: Chat) -> Reply:
    return chat.say(f"approve {chat.open_digest}")


def test_what_was_made_is_changed_in_its_place_and_a_second_plan_is_clean(berth: Berth, cluster: httpx.Client) -> None:
    chat = berth.chat()
    chat.say("a web server on network 20, development, called story-web")
    done = approve(chat)
    assert chat.run.status == "done", done.text
    made = guests(cluster)["story-web"]
    assert (made["maxcpu"], made["status"]) == (2, "running")
    assert chat.run.id in chat.say("list").text
    assert {status for _, status in chat.steps.items()} == {"done"}
    assert all(step in chat.say("status").text for _, step in chat.steps)

    change = chat.say("make it 4 cores")
    [part] = chat.plan.plan.parts
    assert [(one.action, one.details, one.restarts) for one in part.changes] == [("update", ("cpu.cores 2 → 4",), True)]
    assert "2 → 4 vCPU" in change.text and "Restart" in change.text
    assert "cpu.cores 2 → 4" in chat.say("details").text
    assert guests(cluster)["story-web"]["maxcpu"] == 2, "nothing happens before the approval"
    changed = approve(chat)
    assert chat.run.status == "done", changed.text
    after = guests(cluster)["story-web"]
    assert (after["vmid"], after["node"]) == (made["vmid"], made["node"]), "in its place"
    assert (after["maxcpu"], after["status"]) == (4, "running")
    assert chat.drift() == ()

    folder = chat.folder
    made_from = {path: path.read_bytes() for path in (*folder.glob("*.json"), *folder.glob("*/terraform.tfvars.json"))}
    dropped = chat.say("make it 8 cores")
    assert chat.changes == {"update": 1}
    assert chat.drift() == (), "a change that nobody has approved is no drift"
    chat.say("no")
    chat.say(f"approve {dropped.digest}")
    assert (chat.plan.status, chat.approvals) == ("void", ())
    assert guests(cluster)["story-web"]["maxcpu"] == 4
    assert chat.drift() == ()
    assert {path: path.read_bytes() for path in made_from} == made_from
    assert not (folder / "proposed").exists()

    chat.say("remove it")
    assert chat.changes == {"delete": 1}
    assert "story-web" in guests(cluster)
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
    assert "story-web" not in guests(cluster)
    chat.say("remove it")
    assert chat.open_digest == "", "there is nothing left to remove"


def test_parts_and_machines_are_taken_away_and_added_by_a_message_and_the_others_stay(berth: Berth, cluster: httpx.Client) -> None:
    before = guests(cluster)
    chat = berth.chat()
    chat.say("two web servers called part-web-01 and part-web-02, and a Debian VM with 1 core, 1 GB memory and 8 GB disk called part-vm")
    chat.say("development, network 30")
    assert chat.changes == {"create": 3}
    done = approve(chat)
    assert chat.run.status == "done", done.text
    run_id, made = chat.run.id, guests(cluster)
    addresses = re.findall(r"10\.30\.0\.\d+", (chat.folder / "receipt.json").read_text())
    assert len(set(addresses)) == 3, "each has an address of its own on the network asked for"

    def stand() -> set[str]:
        """By name, and each is still the machine that it was."""
        now = guests(cluster)
        assert all(now[name]["vmid"] == made[name]["vmid"] for name in now.keys() & made.keys())
        return now.keys() - before.keys()

    added = chat.say("add a redis for 500 MB of data called part-redis to it")
    assert (chat.changes, chat.plan.plan.run_id) == ({"create": 1}, run_id), added.text
    approve(chat)
    assert stand() == {"part-web-01", "part-web-02", "part-vm", "part-redis"}

    one = chat.say("remove part-web-01")
    assert (chat.changes, chat.plan.plan.kind) == ({"delete": 1}, "change"), one.text
    done = approve(chat)
    assert stand() == {"part-web-02", "part-vm", "part-redis"}, done.text

    chat.say("remove the web server")
    assert chat.changes == {"delete": 1}
    chat.say("no")
    chat.say("delete the VM")
    assert chat.changes == {"delete": 1}
    removed = approve(chat)
    assert (chat.run.id, chat.run.status, stand()) == (run_id, "done", {"part-web-02", "part-redis"}), removed.text
    assert chat.drift() == ()
    assert "part-vm" not in (chat.folder / "guide.md").read_text() and "part-web-02" in (chat.folder / "guide.md").read_text()
    assert {item.label for item in chat.now.request.items} == {"web_server", "redis"}

    # Another conversation sees the run, and removes all of it by its name.
    other = berth.chat()
    assert run_id in other.say("list").text
    other.say(f"remove {run_id}")
    assert other.changes == {"delete": 2}
    approve(other)
    assert (chat.run.status, stand()) == ("removed", set())
    left = guests(cluster)
    assert {n: (g["vmid"], g["status"]) for n, g in left.items()} == {n: (g["vmid"], g["status"]) for n, g in before.items()}
