"""The sources' own request on Azure, from the sentence through a priced plan and two approvals to a guide, and back."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import Berth, Chat
from tests.stories_azure.conftest import approve, groups, price_tiers, recomputed, second_plan

SENTENCE = "Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $8K/month"
SMALL = "Spark environment for our ML team, 200 GB of data daily, GPU for training, in eastus, $8K/month"


def test_the_sources_request_is_priced_approved_twice_built_and_removed(azure: Berth) -> None:
    chat, before = azure.chat(), groups(azure)
    planned, full, why = chat.say(SENTENCE), chat.say("details").text, chat.say("why").text
    digest = chat.open_digest
    for name, words in (("daily_gb", "5 TB of customer data daily"), ("budget_monthly", "$8K/month")):
        assert chat.required(name).words == words and words in full
    estimate = chat.plan.plan.estimate
    assert estimate.total and f"{estimate.total:,.2f}" in planned.text
    assert estimate.assumptions and all(one in full for one in estimate.assumptions), "what is assumed is said"
    assert "NAT gateway" in why and "an A100 around the clock" in why, "and what is left out"
    assert chat.roles == {"vp", "security"} and all(reason in planned.text for _, reason in chat.plan.plan.approvals)

    for words in (f"approve {digest} as boss", f"approve {digest}"):  # Nobody's role, and nobody knows which.
        told = chat.say(words)
        assert f"approve {digest} as vp" in told.text and chat.approvals == ()
    for _ in range(2):
        once = chat.say(f"approve {digest} as vp")
        assert [one.role for one in chat.approvals] == ["vp"] and "security" in once.text
    assert not (chat.folder / "data_workspace" / "terraform.tfstate").exists(), "one approval alone starts nothing"

    done = chat.say(f"approve {digest} as security")
    assert chat.run.status == "done", done.text
    approvals = json.loads((chat.folder / "approval.json").read_text())
    assert sorted(one["role"] for one in approvals) == ["security", "vp"]
    assert len({one["plan_digest"] for one in approvals}) == 1, "both are bound to the same digest"
    guide = (chat.folder / "guide.md").read_text()
    group = re.findall(r"rg-spark-ml-dev-eastus-\d\d", planned.text)[0]  # the first number that is free
    assert "az aks" in guide and group in guide
    assert chat.steps["data_workspace", "configure"] == "done", "what stands inside the cluster was applied"
    assert (chat.folder / "data_workspace" / "spark-check.json").exists()
    secret = azure.environment["ARM_CLIENT_SECRET"]
    assert secret not in planned.text + done.text
    assert not [path for path in chat.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]

    assert groups(azure) == before | {group} | managed_by_azure(azure)
    code, words = second_plan(azure, chat.folder / "data_workspace")
    assert code == 0, words

    chat.say("remove it")
    assert chat.changes.keys() == {"delete"} and chat.open_digest != digest
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
    assert chat.state() == []
    assert groups(azure) == before, "nothing is left in Azure"


def managed_by_azure(azure: Berth) -> set[str]:
    """The groups that AKS makes for itself, and removes again."""
    return {name for name in groups(azure) if name.startswith("MC_")}


def cost(chat: Chat) -> float:
    total = chat.plan.plan.estimate.total
    assert total is not None
    return total


def test_every_edit_shows_its_cost_and_voids_the_plan_before(azure: Berth) -> None:
    """And what is suggested as a saving saves what was said."""
    chat = azure.chat()
    first = chat.say(SENTENCE)
    before = cost(chat)
    promised = re.search(r"14 days instead of 30: ([\d,]+) USD", " ".join(chat.plan.plan.estimate.savings))
    assert promised and promised[0] in first.text
    less = chat.say("14 days retention")
    assert chat.required("retention_days").words == "14 days retention"
    assert less.digest != first.digest
    assert before - cost(chat) == pytest.approx(float(promised[1].replace(",", "")), abs=1)
    assert f"{cost(chat):,.2f}" in less.text
    chat.say(f"approve {first.digest} as vp")
    assert (chat.open_digest, chat.approvals) == (less.digest, ())
    chat.say("no")


def test_a_retired_size_is_explained_and_replaced(azure: Berth) -> None:
    chat = azure.chat()
    planned = chat.say("Spark environment for our ML team, 200 GB of data daily, GPU NC6s_v3, in eastus, $8K/month")
    assert "NC6s_v3" in planned.text and "Standard_NC4as_T4_v3" in planned.text, "on the card itself"
    assert "NC6s_v3" not in str(chat.inputs) and "Standard_NC4as_T4_v3" in str(chat.inputs)
    chat.say("no")


def test_every_figure_of_the_estimate_comes_from_a_row_of_the_snapshot(azure: Berth) -> None:
    chat = azure.chat()
    chat.say(SENTENCE)
    full = chat.say("details").text
    estimate = json.loads((chat.folder / "plan.json").read_text())["estimate"]
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
            assert line["unit"] in full and line["note"], "what has no price is named, with the reason"
    chat.say("no")


def test_an_approval_with_a_reason_is_kept_with_its_reason(azure: Berth) -> None:
    chat = azure.chat()
    chat.say(SMALL)
    digest = chat.open_digest
    chat.say(f"approve {digest} as vp because the quarter ends tomorrow")
    done = [chat.say(f"approve {digest} as {role}") for role in sorted(chat.roles - {"vp"})]
    assert chat.run.status == "done", done[-1].text
    reasons = {one["role"]: one["override_reason"] for one in json.loads((chat.folder / "approval.json").read_text())}
    assert reasons.pop("vp") == "the quarter ends tomorrow"
    assert not any(reasons.values())
    chat.say("remove it")
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
