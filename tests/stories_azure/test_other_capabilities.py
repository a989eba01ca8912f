"""The other things on Azure from a sentence: planned, approved, built so that a second plan changes nothing, changed in their place, and
removed without a trace. Every `az` line of their guides is run as it is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.azure.azure_cli import Az, logged_in
from tests.conftest import Berth
from tests.stories_azure.conftest import approve, groups, second_plan
from tests.stories_azure.guides import run_lines
from tools.clients.azure import Azure
from tools.pipeline.reconciling import reconcile

pytestmark = [pytest.mark.systems, pytest.mark.timeout(4000)]


@pytest.fixture(scope="module")
def az(azure_world: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    with logged_in(azure_world[0], tmp_path_factory.mktemp("guides")) as found:
        yield found


@pytest.mark.parametrize(
    ("typed", "parts", "role", "changes"),
    [
        (
            "a storage account for the ml team, 2 TB, containers raw and gold, in eastus",
            ("storage_account",),
            "security",
            ("also a container silver", "remove container gold"),
        ),
        (
            "open port 443 from the internet on nsg-shared in eastus",
            ("azure_firewall_ports",),
            "security",
            ("also open port 8443 from 10.2.0.0/16", "close port 443"),
        ),
        ("a PostgreSQL database in Azure for 100 users, for the ml team, in eastus", ("postgresql",), "", ()),
        (
            "a VM in Azure with 2 cores and 4 GB, for the ml team, in eastus",
            ("virtual_machine",),
            "",
            ("make it 4 cores and 16 GB",),
        ),
        (
            "a Kubernetes cluster in Azure, 3 nodes, for the shop team, in eastus",
            ("k3s_cluster",),
            "",
            ("make it 5 nodes",),
        ),
        (
            "Databricks with 2 workers and Azure OpenAI for the ml team, in eastus",
            ("databricks", "azure_openai"),
            "",
            ("also text-embedding-3-small, and make it 100000 tokens a minute",),
        ),
        (
            "Spark environment with 2 GPUs, 5 TB of data daily, $8,000 a month, production, for the ml team",
            ("data_workspace",),
            "vp security",
            (),
        ),
    ],
)
def test_from_a_sentence_and_back(azure: Berth, az: Az, typed: str, parts: tuple[str, ...], role: str, changes: tuple[str, ...]) -> None:
    chat, before = azure.chat(), groups(azure)
    planned = chat.say(typed)
    assert chat.kept is not None, planned.text
    assert chat.roles - {"operator"} - {f"confirm {part}" for part in parts} == set(role.split())
    done = approve(chat)
    assert chat.run.status == "done", done.text
    for part in parts:
        assert part in (chat.folder / "guide.md").read_text()
        code, words = second_plan(azure, chat.folder / part)
        assert code == 0, words
    print(run_lines(chat, az))
    for words in changes:
        planned = chat.say(words)
        assert chat.kept is not None and chat.kept.plan.kind == "change", planned.text
        changed = approve(chat)
        assert chat.run.status == "done", changed.text
        for part in parts:
            code, told = second_plan(azure, chat.folder / part)
            assert code == 0, told
    spent = chat.say("what do we spend?")
    assert "by the plans" in spent.text.lower(), spent.text
    told = {thing.name for part in chat.kept.manifest.parts for thing in part.resources}
    removing = chat.say("remove it")
    assert re.findall(r"\*\*Lost\*\*: ([^,]+),", removing.text)[0] in told, "what the operator knows by its name comes first"
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
    assert groups(azure) == before
    of_it = reconcile(azure.world)
    assert of_it.looked_at and of_it.found == () and of_it.unread == (), "Azure's own log has nothing that was not approved"


def test_the_draft_of_one_conversation_is_in_the_way_of_no_other(azure: Berth) -> None:
    typed = "Azure OpenAI for the ml team, in eastus"
    first, second = azure.chat(), azure.chat()
    first.say(typed)
    planned = second.say(typed)
    assert second.open_digest, planned.text
    names = [dict(chat.part.cloud.names) for chat in (first, second) if chat.part.cloud]
    assert names[0]["resource_group"] != names[1]["resource_group"] and names[0]["openai"] != names[1]["openai"]
    for chat in (first, second):
        chat.say("no")


def test_what_nobody_approved_is_found_in_the_activity_log(azure: Berth) -> None:
    chat = azure.chat()
    chat.say("a storage account for the ml team, 200 GB, in eastus")
    approve(chat)
    assert chat.run.status == "done"
    cloud = Azure(azure.world.settings)
    cloud.resources.resource_groups.create_or_update("rg-of-nobody", {"location": "eastus"})
    told = chat.say("what was changed that nobody approved?")
    assert "rg-of-nobody" in told.text, told.text
    [one] = reconcile(azure.world).found
    assert (one.run_id, one.why, one.act.what) == ("", "unnamed", "Microsoft.Resources/resourceGroups/write")
    cloud.resources.resource_groups.begin_delete("rg-of-nobody").result()
    chat.say("remove it")
    approve(chat)
