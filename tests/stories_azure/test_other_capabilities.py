"""The other things on Azure from a sentence: planned, approved, built so that a second plan changes nothing, and removed without a trace."""

from __future__ import annotations

import pytest

from tests.conftest import Berth
from tests.stories_azure.conftest import approve, groups, second_plan


@pytest.mark.parametrize(
    ("typed", "parts", "role"),
    [
        ("a storage account for the ml team, 200 GB, in eastus", ("storage_account",), ""),
        ("a storage account for the ml team, 2 TB, in eastus", ("storage_account",), "security"),
        ("open port 443 from 10.1.0.0/16 on nsg-shared in eastus", ("azure_firewall_ports",), ""),
        ("open port 443 from the internet on nsg-shared in eastus", ("azure_firewall_ports",), "security"),
        ("a PostgreSQL database in Azure for 100 users, for the ml team, in eastus", ("postgresql",), ""),
        ("Databricks and Azure OpenAI for the ml team, in eastus", ("databricks", "azure_openai"), ""),
    ],
)
def test_from_a_sentence_and_back(azure: Berth, typed: str, parts: tuple[str, ...], role: str) -> None:
    chat, before = azure.chat(), groups(azure)
    planned = chat.say(typed)
    assert (f"- {role}: " in planned.text) is bool(role)
    done = approve(chat, planned)
    assert "is done" in done.text, done.text
    run = azure.home / "runs" / planned.run_id
    for part in parts:
        assert part in (run / "guide.md").read_text()
        code, words = second_plan(azure, run / part)
        assert code == 0, words
    removal = chat.say("remove it")
    assert "is removed" in approve(chat, removal).text
    assert groups(azure) == before
