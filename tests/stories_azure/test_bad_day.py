"""A deployment that Azure takes on and then fails: what exists is listed, nothing is lost, and `retry` goes on under the same approval."""

from __future__ import annotations

import json

from tests.conftest import Berth
from tests.stories_azure.conftest import approve, second_plan

SPARK = "Spark environment for our ML team, 200 GB of data daily, in eastus, $8K/month"
TWO = "Databricks and Azure OpenAI for the ml team, in eastus"


def recorded(berth: Berth, run_id: str, part: str) -> set[str]:
    """Names of what a part's state says there is."""
    state = json.loads((berth.home / "runs" / run_id / part / "terraform.tfstate").read_text())
    instances = [one for resource in state["resources"] for one in resource["instances"]]
    return {one["attributes"]["name"] for one in instances if one["attributes"].get("name")}


def test_a_half_finished_deployment_goes_on_by_retry(bad_day: Berth) -> None:
    chat = bad_day.chat()
    planned = chat.say(SPARK)
    stopped = approve(chat, planned)
    assert "has stopped" in stopped.text
    assert (
        "Azure said of aks-spark-ml-dev-eastus-01 (Microsoft.ContainerService/managedClusters): InternalServerError: "
        "The cluster could not be provisioned." in stopped.text
    )
    assert "RESPONSE 200" not in stopped.text, "not what azapi prints, but what it means"
    assert "What was made so far is kept. Reply `retry`" in stopped.text
    run_id = planned.run_id
    before = recorded(bad_day, run_id, "data_workspace")
    assert "rg-spark-ml-dev-eastus-01" in before, "nothing is lost"

    status = chat.say("status")
    assert "is stopped" in status.text and "| data_workspace | apply | failed |" in status.text

    done = chat.say("retry")
    assert "Half made by this run, so it is removed and made anew: aks-spark-ml-dev-eastus-01." in done.text
    assert "is done" in done.text, done.text
    assert before <= recorded(bad_day, run_id, "data_workspace")
    approvals = json.loads((bad_day.home / "runs" / run_id / "approval.json").read_text())
    assert {one["plan_digest"][:12] for one in approvals} == {planned.digest}, "what was approved once carried it to the end"
    code, words = second_plan(bad_day, bad_day.home / "runs" / run_id / "data_workspace")
    assert code == 0, words

    removal = chat.say("remove it")
    assert "is removed" in approve(chat, removal).text


def test_of_two_parts_the_good_one_stays_and_the_other_is_tried_again(bad_day: Berth) -> None:
    chat = bad_day.chat()
    planned = chat.say(TWO)
    assert "Planning databricks." in planned.text and "Planning azure_openai." in planned.text
    assert planned.text.count("To approve exactly") == 1, "one plan of two parts"
    stopped = approve(chat, planned)
    assert "has stopped" in stopped.text and "The workspace could not be provisioned." in stopped.text
    status = chat.say("status")
    assert "| databricks | apply | failed |" in status.text
    assert "| azure_openai | guide | done |" in status.text
    openai = recorded(bad_day, planned.run_id, "azure_openai")
    assert openai

    done = chat.say("retry")
    assert "is done" in done.text, done.text
    assert "azure_openai" in done.text and "knows us as" in done.text
    assert "azure_openai · apply" not in done.text, "what stands is left alone"
    assert recorded(bad_day, planned.run_id, "azure_openai") == openai
    for part in ("databricks", "azure_openai"):
        code, words = second_plan(bad_day, bad_day.home / "runs" / planned.run_id / part)
        assert code == 0, words

    removal = chat.say("remove it")
    assert "is removed" in approve(chat, removal).text
    for part in ("databricks", "azure_openai"):
        assert not recorded(bad_day, planned.run_id, part)
