"""What stories on guests with real systems share: the cluster with one Berth, commands on machines, and the power switch of each."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from cluster_sim.guests import chosen_kind
from cluster_sim.guests.probe import probe
from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, Chat, api_server, wait_until
from tools.clients.ssh import Answer, run_on

RUN_SECONDS_MAX = 1500.0
"""How long one message may take that is an approval."""
POWER_SECONDS_MAX = 120.0


class Switches:
    """Switches machines on and off as the cluster's owner does, and waits until they are."""

    def __init__(self, cluster: httpx.Client) -> None:
        self._cluster = cluster

    def stop(self, machine: str) -> None:
        """At once, as when the node fails."""
        self._turn(machine, "stop", "stopped")

    def start(self, machine: str) -> None:
        self._turn(machine, "start", "running")

    def _turn(self, machine: str, deed: str, becomes: str) -> None:
        rows = self._cluster.get("/cluster/resources?type=vm").json()["data"]
        [guest] = [one for one in rows if one.get("name") == machine]
        status = f"/nodes/{guest['node']}/qemu/{guest['vmid']}/status"
        self._cluster.post(f"{status}/{deed}").raise_for_status()
        wait_until(lambda: self._cluster.get(f"{status}/current").json()["data"]["status"] == becomes, POWER_SECONDS_MAX)


@contextmanager
def pods(folder: Path) -> Iterator[tuple[Berth, Switches]]:
    if (found := chosen_kind(probe(folder)))[0] != "pod":
        pytest.skip(found[1])
    with world([str(WORLDS / "four_nodes.yaml")], folder / "world", guests="pod") as ready:
        proxmox, trust = ready["proxmox"], ssl.create_default_context(cafile=ready["ca_file"])
        headers = {"Authorization": f"PVEAPIToken={proxmox['token']}"}
        settings = environment(ready, folder) | {"BERTH_SITE_FILE": ready["site_file"]}
        with (
            api_server(settings, folder / "api_server.log") as berth,
            httpx.Client(base_url=f"{proxmox['url']}/api2/json", headers=headers, verify=trust, timeout=30) as cluster,
        ):
            yield berth, Switches(cluster)


def on(chat: Chat, machine: str, command: str, seconds_max: float = 60.0) -> Answer:
    """How a command ended on a machine of the run."""
    return run_on(chat.folder, machine, command, seconds_max)


def done(chat: Chat, machine: str, command: str, seconds_max: float = 60.0) -> str:
    """What a command told that ended well."""
    answer = on(chat, machine, command, seconds_max)
    assert answer.code == 0, answer.output
    return answer.output


def approve(chat: Chat, sentence: str) -> str:
    """Says it, approves the plan that comes of it, and gives what was told while it was carried out. The run is done or removed."""
    planned = chat.say(sentence)
    answer = chat.post(f"approve {planned.digest}", RUN_SECONDS_MAX)
    answer.raise_for_status()
    assert chat.run.status in ("done", "removed"), answer.text[-3000:]
    return answer.text


def took(chat: Chat) -> timedelta:
    """From the first step's beginning to the end of the last that verifies."""
    begun = [step.started_at for step in chat.run.steps if step.started_at]
    ended = [step.ended_at for step in chat.run.steps if step.ended_at and step.name in ("watch", "verify")]
    return max(ended) - min(begun)
