"""After the approval: what was made is changed in its place, and removed without touching anything else."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Berth, Chat, Reply
from tools.clients.settings import Settings
from tools.pipeline.drifting import drift
from tools.pipeline.world import open_world
from tools.values.plan import Change


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


def approve(chat: Chat, planned: Reply) -> Reply:
    return chat.say(f"approve {planned.digest}")


def test_what_was_made_is_changed_in_its_place_and_a_second_plan_is_clean(berth: Berth, cluster: httpx.Client) -> None:
    chat = berth.chat()
    planned = chat.say("a web server on network 20, development, called story-web")
    done = approve(chat, planned)
    assert f"Run `{planned.run_id}` is done." in done.text, done.text
    made = guests(cluster)["story-web"]
    assert (made["maxcpu"], made["status"]) == (2, "running")
    assert planned.run_id in chat.say("list").text
    status = chat.say("status").text
    assert all(re.search(rf"\| {step} \| done \|", status) for step in ("apply", "configure", "verify")), status

    change = chat.say("make it 4 cores")
    assert "1 to change" in change.text and "cpu.cores 2 → 4" in change.text, change.text
    assert "**Restart:** story-web is shut down and started again" in change.text
    assert change.digest != planned.digest
    assert guests(cluster)["story-web"]["maxcpu"] == 2, "nothing happens before the approval"
    changed = approve(chat, change)
    assert "is done" in changed.text, changed.text
    after = guests(cluster)["story-web"]
    assert (after["vmid"], after["node"]) == (made["vmid"], made["node"]), "in its place"
    assert (after["maxcpu"], after["status"]) == (4, "running")

    assert second_plan(berth, planned.run_id) == ()

    folder = berth.home / "runs" / planned.run_id
    made_from = {path: path.read_bytes() for path in (*folder.glob("*.json"), *folder.glob("*/terraform.tfvars.json"))}
    dropped = chat.say("make it 8 cores")
    assert "1 to change" in dropped.text
    assert second_plan(berth, planned.run_id) == (), "a change that nobody has approved is no drift"
    chat.say("no")
    assert "Approved" not in approve(chat, dropped).text
    assert guests(cluster)["story-web"]["maxcpu"] == 4
    assert second_plan(berth, planned.run_id) == ()
    assert {path: path.read_bytes() for path in made_from} == made_from
    assert not (folder / "proposed").exists()

    removal = chat.say("remove it")
    assert "1 to remove" in removal.text and "is lost" in removal.text
    assert "story-web" in guests(cluster)
    assert "is removed" in approve(chat, removal).text
    assert "story-web" not in guests(cluster)
    assert "made nothing that could be removed" in chat.say("remove it").text


def test_several_are_made_at_once_and_only_they_are_removed(berth: Berth, cluster: httpx.Client) -> None:
    before = guests(cluster)
    chat = berth.chat()
    planned = chat.say("three web servers on network 30, development")
    assert "3 to create" in planned.text, planned.text
    done = approve(chat, planned)
    assert "is done" in done.text, done.text
    made = guests(cluster).keys() - before.keys()
    assert len(made) == 3 and all(re.fullmatch(r"web-\d\d", name) for name in made)
    receipt = json.loads((berth.home / "runs" / planned.run_id / "receipt.json").read_text())
    addresses = re.findall(r"10\.30\.0\.\d+", json.dumps(receipt))
    assert len(set(addresses)) == 3, "each has an address of its own on the network asked for"

    # Another conversation sees the run, and can plan to remove it by its name.
    other = berth.chat()
    assert planned.run_id in other.say("list").text
    removal = other.say(f"remove {planned.run_id}")
    assert "3 to remove" in removal.text
    assert "is removed" in approve(other, removal).text
    left = guests(cluster)
    assert left.keys() == before.keys()
    assert {n: (g["vmid"], g["status"]) for n, g in left.items()} == {n: (g["vmid"], g["status"]) for n, g in before.items()}


def second_plan(berth: Berth, run_id: str) -> tuple[Change, ...]:
    """What terraform would change now, by a plan that is thrown away."""
    opened = open_world(Settings.from_environment(berth.environment))
    try:
        return tuple(change for _, changes in drift(opened, run_id) for change in changes)
    finally:
        opened.ledger.close()
