"""A deployment that Azure takes on and then fails: what exists is listed, nothing is lost, and `retry` goes on under the same approval."""

from __future__ import annotations

import pytest

from tests.conftest import Berth, Chat
from tests.stories_azure.conftest import approve, second_plan
from tools.values.run import StepRecord

pytestmark = pytest.mark.systems

SPARK = "Spark environment for our ML team, 200 GB of data daily, in eastus, $8K/month"
TWO = "Databricks and Azure OpenAI for the ml team, in eastus"


def recorded(chat: Chat, part: str) -> set[str]:
    """Names of what a part's state says there is."""
    return {one["name"] for one in chat.state(part) if one.get("name")}


def test_a_half_finished_deployment_goes_on_by_retry(bad_day: Berth) -> None:
    chat = bad_day.chat()
    chat.say(SPARK)
    stopped, digest = approve(chat), chat.plan.plan.digest
    assert (chat.phase, chat.run.status, chat.steps["data_workspace", "apply"]) == ("stopped", "stopped", "failed")
    for named in ("aks-spark-ml-dev-eastus-01 (Microsoft.ContainerService/managedClusters): `InternalServerError", "`retry`"):
        assert named in stopped.text
    assert "RESPONSE 200" not in stopped.text, "not what azapi prints, but what it means"
    before = recorded(chat, "data_workspace")
    assert "rg-spark-ml-dev-eastus-01" in before, "nothing is lost"
    assert "failed" in chat.say("status").text

    done = chat.say("retry")
    assert "aks-spark-ml-dev-eastus-01" in done.text, "half made, so it is removed and made anew, and that is said"
    assert (chat.phase, chat.run.status) == ("done", "done"), done.text
    assert before <= recorded(chat, "data_workspace")
    assert {one.plan_digest for one in chat.approvals} == {digest}, "what was approved once carried it to the end"
    code, words = second_plan(bad_day, chat.folder / "data_workspace")
    assert code == 0, words

    chat.say("remove it")
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text


def test_of_two_parts_the_good_one_stays_and_the_other_is_tried_again(bad_day: Berth) -> None:
    chat = bad_day.chat()
    planned = chat.say(TWO)
    assert [part.label for part in chat.plan.manifest.parts] == ["databricks", "azure_openai"], "one plan of two parts"
    assert planned.text.count(f"approve {chat.open_digest}") == 1
    stopped = approve(chat)
    assert "The workspace could not be provisioned." in stopped.text, "Azure's own words"
    assert chat.run.status == "stopped"
    assert (chat.steps["databricks", "apply"], chat.steps["azure_openai", "guide"]) == ("failed", "done")
    openai = recorded(chat, "azure_openai")
    applied_at = step(chat, "azure_openai", "apply").ended_at
    assert openai

    done = chat.say("retry")
    assert chat.run.status == "done", done.text
    assert step(chat, "azure_openai", "apply").ended_at == applied_at, "what stands is left alone"
    assert recorded(chat, "azure_openai") == openai
    for part in ("databricks", "azure_openai"):
        code, words = second_plan(bad_day, chat.folder / part)
        assert code == 0, words

    chat.say("remove it")
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
    for part in ("databricks", "azure_openai"):
        assert not recorded(chat, part)


def step(chat: Chat, part: str, name: str) -> StepRecord:
    return next(one for one in chat.run.steps if (one.part, one.name) == (part, name))
