"""One of ten parts fails in the middle: what needs it waits, the others are whole, and `retry` makes what is not made yet.

That one part alone is led back is in tests/engine/test_interrupted.py; here it is planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server
from tools.clients.proxmox_removing import Removing

pytestmark = [pytest.mark.systems, pytest.mark.timeout(900)]

LABS = [f"lab-{number:02d}" for number in range(1, 8)]
TEN = ", ".join(
    (
        "PostgreSQL for 20 users called db on node pve4",
        "a web server called shop that uses db",
        "a web server called pages that uses db",
        *(f"a Debian VM called {name} with 1 core, 1 GB and {size} GB" for size, name in enumerate(LABS, 8)),
    )
)
RUN_SECONDS_MAX = 600


@pytest.fixture
def stumbling(tmp_path: Path) -> Iterator[Berth]:
    """The first machine that starts on pve4 does not."""
    fault = {"task": "qmstart", "node": "pve4", "nth": 1, "exitstatus": "start failed: QEMU exited with code 1"}
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": {"faults": [fault]}}))
    with (
        world([str(file)], tmp_path / "world", guests="emulated") as ready,
        api_server(environment(ready, tmp_path), tmp_path / "api_server.log") as berth,
    ):
        yield berth


def test_one_of_ten_parts_fails_and_stops_only_what_needs_it(stumbling: Berth) -> None:
    chat, cluster = stumbling.chat(), Removing(stumbling.world.settings)
    chat.post(f"{TEN}; all for development, network 20, no key", RUN_SECONDS_MAX)
    parts = {part.label: part for part in chat.plan.manifest.parts}
    of = {part.machines[0].name: label for label, part in parts.items()}
    assert len(parts) == 10 and [label for label, part in parts.items() if part.after == (of["db"],)] == [of["shop"], of["pages"]]
    told = chat.post(f"approve {chat.open_digest}", RUN_SECONDS_MAX).text
    steps = {name: [step.status for step in chat.run.steps if step.part == label] for name, label in of.items()}
    assert (chat.run.status, chat.steps[of["db"], "apply"]) == ("stopped", "failed")
    assert [set(steps[name]) for name in ("shop", "pages")] == [{"skipped"}] * 2
    assert [set(steps[name]) for name in LABS] == [{"done"}] * len(LABS)
    assert "db (VM" in told and "start failed" in told and f"`roll back {of['db']}`" in told

    def born(name: str) -> object:
        """Another value of a machine that was made anew."""
        return cluster.read("nodes", parts[of[name]].machines[0].node, "qemu", str(parts[of[name]].machines[0].vm_id), "config")

    before = [born(name) for name in LABS]
    chat.post(f"roll back {of['db']}", RUN_SECONDS_MAX)
    assert [(part.label, one.action, one.name) for part in chat.plan.plan.parts for one in part.changes] == [(of["db"], "delete", "db")]
    assert {part.label for part in chat.plan.manifest.parts} == {of[name] for name in LABS}
    chat.say("no")

    again = chat.post("retry", RUN_SECONDS_MAX)
    assert chat.run.status == "done", again.text[-2000:]
    assert {step.status for step in chat.run.steps} == {"done"}
    assert [born(name) for name in LABS] == before
