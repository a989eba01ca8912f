"""Services on machines in Azure: made, met through the hub, set up by the same playbooks as on a cluster, changed and removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server
from tests.stories_azure.conftest import approve, groups, second_plan, with_roles

pytestmark = pytest.mark.systems


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Berth]:
    """A subscription whose hub Berth is on: its machines answer SSH where a peering and a security group let it in."""
    folder = tmp_path_factory.mktemp("hub")
    with (
        world([str(WORLDS / "azure_subscription.yaml")], folder / "world", guests="emulated") as ready,
        api_server(with_roles(environment(ready, folder), folder), folder / "api_server.log") as server,
    ):
        yield server


@pytest.mark.parametrize(
    ("typed", "part", "playbook", "served"),
    [
        ("two web servers in Azure, development, for the shop team, in eastus", "web_server", "web_server.yml", {"22", "80", "9100"}),
        ("a Redis server in Azure for 4 GB of data, development, in eastus", "redis", "redis.yml", {"22", "6379", "9100"}),
        ("a VM in Azure with 2 cores and 4 GB, development, in eastus", "virtual_machine", "virtual_machine.yml", {"22", "9100"}),
    ],
)
def test_a_service_stands_in_azure(hub: Berth, typed: str, part: str, playbook: str, served: set[str]) -> None:
    chat, before = hub.chat(), groups(hub)
    planned = chat.say(typed)
    assert chat.kept is not None, planned.text
    made = chat.kept.manifest.part(part)
    assert made.configure is not None and made.configure.playbook == playbook
    assert {one["port"] for one in made.variables["ports"]} == served
    done = approve(chat)
    assert chat.run.status == "done", done.text
    assert f"ssh_config {made.every_machine[0].name}" in chat.say("how do I log in?").text
    guide = (chat.folder / "guide.md").read_text()
    assert "az vm list" in guide and "ssh -F" in guide
    code, words = second_plan(hub, chat.folder / part)
    assert code == 0, words
    planned = chat.say("make it 4 cores and 16 GB")
    assert chat.kept is not None and chat.kept.plan.kind == "change", planned.text
    changed = approve(chat)
    assert chat.run.status == "done", changed.text
    chat.say("remove it")
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
    assert groups(hub) == before
