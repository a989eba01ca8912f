"""Goals, not things: source B's own dialogue, word for word, and a platform that is proposed part by part."""

from __future__ import annotations

import pytest

from tests.conftest import Berth
from tests.stories_azure.conftest import approve, groups, second_plan

pytestmark = pytest.mark.systems


def test_the_dialogue_of_the_source_word_for_word(azure: Berth) -> None:
    chat, before = azure.chat(), groups(azure)
    chat.say("Create a production workspace for ML team")
    assert [(part.capability, part.text("team"), part.text("environment")) for part in chat.requirements.parts] == [
        ("databricks", "ml", "production")
    ]
    assert (chat.required("max_workers").value, chat.required("gpu").words) == (8, "workspace for ML")
    chat.say("East US")
    assert chat.required("region").words == "East US"
    first = chat.plan.plan.estimate.total
    planned = chat.say("Name the resource group rg-ml-team-prod and reduce cluster to 1-4 workers")
    assert (chat.required("min_workers").value, chat.required("max_workers").value) == (1, 4)
    assert chat.part.cloud is not None and dict(chat.part.cloud.names)["resource_group"] == "rg-ml-team-prod"
    assert 0 < chat.plan.plan.estimate.total < first
    assert "\n1. resource group, rg-ml-team-prod\n2. Databricks workspace, " in planned.text
    digest = chat.open_digest
    confirmed = chat.say("yes")
    assert digest and chat.open_digest == digest == confirmed.digest
    done = approve(chat)
    assert chat.run.status == "done", done.text
    assert groups(azure) - before >= {"rg-ml-team-prod"}
    code, words = second_plan(azure, chat.folder / "databricks")
    assert code == 0, words


def test_a_no_goes_back_and_a_yes_is_no_approval(azure: Berth) -> None:
    chat = azure.chat()
    chat.say("Create a production workspace for ML team")
    chat.say("yes")
    assert chat.phase == "awaiting approval"
    chat.say("no")
    assert (chat.phase, chat.open_digest) == ("listening", "")


def test_a_platform_is_proposed_and_what_is_doubtful_is_asked(azure: Berth) -> None:
    chat = azure.chat()
    chat.say("a platform for our ML team, production, in eastus")
    assert [item.capability for item in chat.now.request.items] == ["databricks", "azure_openai"]
    assert (chat.phase, len(chat.now.doubts), chat.open_digest) == ("asking", 3, "")
    chat.say("2, 3 and 5")
    assert chat.now.doubts == ()
    assert [(part.capability, part.yes("gpu")) for part in chat.requirements.parts] == [("databricks", False), ("azure_openai", False)]
    assert chat.open_digest
    chat.say("no")
