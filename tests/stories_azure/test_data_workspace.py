"""The sources' own request on Azure, from the sentence through a priced plan and two approvals to a guide, and back."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import Berth
from tests.stories_azure.conftest import groups, price_tiers, recomputed, second_plan

SENTENCE = "Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $8K/month"
SMALL = "Spark environment for our ML team, 200 GB of data daily, GPU for training, in eastus, $8K/month"


def test_the_sources_request_is_priced_approved_twice_built_and_removed(azure: Berth) -> None:
    chat, before = azure.chat(), groups(azure)
    planned = chat.say(SENTENCE)
    assert "you said “5 TB of customer data daily”" in planned.text
    assert "you said “$8K/month”" in planned.text
    assert "Cost a month:" in planned.text and "of the 8,000 allowed" in planned.text
    assert "A daily volume is a flow" in planned.text, "what is assumed is said"
    assert "Left out: data over the NAT gateway" in planned.text and "over the budget of 8,000" in planned.text
    assert "Left out: an A100 around the clock" in planned.text
    assert "vp: Graphics processors" in planned.text and "security: More than 1 TB" in planned.text
    run = azure.home / "runs" / planned.run_id

    refused = chat.say(f"approve {planned.digest} as boss")
    assert "not as boss" in refused.text and f"approve {planned.digest} as vp" in refused.text
    which = chat.say(f"approve {planned.digest}")
    assert "Say which role speaks" in which.text, which.text
    once = chat.say(f"approve {planned.digest} as vp")
    assert "Still missing: security" in once.text
    assert not (run / "data_workspace" / "terraform.tfstate").exists(), "one approval alone starts nothing"
    again = chat.say(f"approve {planned.digest} as vp")
    assert "vp approved this plan before" in again.text

    done = chat.say(f"approve {planned.digest} as security")
    assert "is done" in done.text, done.text
    approvals = json.loads((run / "approval.json").read_text())
    assert sorted(one["role"] for one in approvals) == ["security", "vp"]
    assert len({one["plan_digest"] for one in approvals}) == 1, "both are bound to the same digest"
    guide = (run / "guide.md").read_text()
    group = re.findall(r"rg-spark-ml-dev-eastus-\d\d", planned.text)[0]  # the first number that is free
    assert "az aks" in guide and group in guide
    secret = azure.environment["ARM_CLIENT_SECRET"]
    assert secret not in planned.text + done.text
    assert not [path for path in run.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]

    assert groups(azure) == before | {group} | managed_by_azure(azure)
    code, words = second_plan(azure, run / "data_workspace")
    assert code == 0, words

    removal = chat.say("remove it")
    assert "to remove" in removal.text and removal.digest != planned.digest
    removed = chat.say(f"approve {removal.digest}")
    assert "is removed" in removed.text, removed.text
    assert not json.loads((run / "data_workspace" / "terraform.tfstate").read_text())["resources"]
    assert groups(azure) == before, "nothing is left in Azure"


def managed_by_azure(azure: Berth) -> set[str]:
    """The groups that AKS makes for itself, and removes again."""
    return {name for name in groups(azure) if name.startswith("MC_")}


def test_every_edit_shows_its_cost_and_voids_the_plan_before(azure: Berth) -> None:
    chat = azure.chat()
    first = chat.say(SENTENCE)
    less = chat.say("14 days retention")
    assert "you said “14 days retention”" in less.text
    assert less.digest != first.digest
    assert 0 < cost(less.text) < cost(first.text)
    refused = chat.say(f"approve {first.digest} as vp")
    assert "void" in refused.text, refused.text
    chat.say("no")


def cost(text: str) -> float:
    found = re.search(r"Cost a month: ([\d,.]+) USD", text)
    assert found, text
    return float(found[1].replace(",", ""))


def test_a_saving_that_is_suggested_is_what_taking_it_saves(azure: Berth) -> None:
    chat = azure.chat()
    first = chat.say(SENTENCE)
    promised = re.search(r"Keeping data 14 days instead of 30: ([\d,]+) USD a month less", first.text)
    assert promised, first.text
    less = chat.say("14 days retention")
    assert cost(first.text) - cost(less.text) == pytest.approx(float(promised[1].replace(",", "")), abs=1)
    chat.say("no")


def test_a_retired_size_is_explained_and_replaced(azure: Berth) -> None:
    chat = azure.chat()
    planned = chat.say("Spark environment for our ML team, 200 GB of data daily, GPU NC6s_v3, in eastus, $8K/month")
    assert "retired" in planned.text and "Standard_NC4as_T4_v3" in planned.text
    tfvars = (azure.home / "runs" / planned.run_id / "data_workspace" / "terraform.tfvars.json").read_text()
    assert "NC6s_v3" not in tfvars
    chat.say("no")


def test_every_figure_of_the_estimate_comes_from_a_row_of_the_snapshot(azure: Berth) -> None:
    chat = azure.chat()
    planned = chat.say(SENTENCE)
    estimate = json.loads((azure.home / "runs" / planned.run_id / "plan.json").read_text())["estimate"]
    tiers = price_tiers()
    priced = [line for line in estimate["lines"] if line["amount"] is not None]
    assert len(priced) >= 10
    for line in priced:
        assert line["price_row"] in tiers, line
        assert line["amount"] == pytest.approx(recomputed(line["quantity"], tiers[line["price_row"]]), abs=0.006), line
    assert estimate["total"] == pytest.approx(sum(line["amount"] for line in priced), abs=0.01)
    assert estimate["total"] <= 8000
    for line in estimate["lines"]:
        if line["amount"] is None:
            assert line["unit"] in planned.text and "not priced" in line["note"], "what has no price is named"
    chat.say("no")


def test_an_approval_with_a_reason_is_kept_with_its_reason(azure: Berth) -> None:
    chat = azure.chat()
    planned = chat.say(SMALL)
    assert "vp: Graphics processors" in planned.text
    chat.say(f"approve {planned.digest} as vp because the quarter ends tomorrow")
    done = chat.say(f"approve {planned.digest} as security") if "security: " in planned.text else chat.say("status")
    assert "done" in done.text, done.text
    run = azure.home / "runs" / planned.run_id
    reasons = {one["role"]: one["override_reason"] for one in json.loads((run / "approval.json").read_text())}
    assert reasons.pop("vp") == "the quarter ends tomorrow"
    assert not any(reasons.values())
    removal = chat.say("remove it")
    assert "is removed" in chat.say(f"approve {removal.digest}").text
