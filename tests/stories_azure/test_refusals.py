"""What cannot be had on Azure: each refusal is a whole sentence with the counter-offer or the next move, and the conversation goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth
from tests.stories.test_bad_input import assert_is_a_whole_answer, run_folders
from tests.stories_azure.conftest import with_roles
from tests.values import opened
from tools.pipeline.provisioning import provision
from tools.values.conversation import Phase

SPARK = "Spark environment for our ML team, 200 GB of data daily"


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (f"{SPARK}, in northpole", ("northpole", "northeurope")),
        (f"{SPARK}, in eastus22", ("eastus22", "eastus2?")),
        (f"{SPARK}, in westeurope", ("westeurope", "region eastus")),
        (f"{SPARK}, in eastus and in westus2", ("`in eastus`", "`in westus2`")),
        (f"{SPARK}, in eastus, $8/month", ("budget of 8\n", "budget of 1,000 USD")),
        (f"{SPARK}, in eastus, €500/month", ("EUR", "USD")),
        (f"{SPARK}, in eastus, budget of $0 a month", ("“$0 a month”", "$8,000")),
        (f"{SPARK}, GPU for training, in westus2", ("NotAvailableForSubscription", "in eastus")),
        ("Spark environment for our ML team, in eastus", ("`100 GB daily`", "`5 TB daily`")),
        (f"{SPARK}, in eastus, called Data Lake!", ("“Data”", "data ")),
        ("Databricks for the ml team, in eastus, resource group rg-network-hub", ("rg-network-hub",)),
        ("a storage account called Data for the ml team, 200 GB", ("“Data”", "data ")),
        ("a storage account called stnorthwindold for the ml team, 200 GB, in eastus", ("stnorthwindold", "stnorthwindold2")),
        ("Azure OpenAI gpt-5.4 in westus3 for the ml team", ("0 of 0", "gpt-5.4-mini")),
        ("open port 22 from the internet on nsg-shared", ("22", "203.0.113.0/24")),
    ],
)
def test_what_cannot_be_had_is_said_with_what_can(azure: Berth, typed: str, named: tuple[str, ...]) -> None:
    """`named`: what is wrong, and what would do."""
    chat, before = azure.chat(), run_folders(azure)
    reply = chat.say(typed)
    assert_is_a_whole_answer(reply.text)
    assert [one for one in named if one not in reply.text] == [], reply.text
    assert chat.kept is None and run_folders(azure) == before, "nothing is planned, and nothing half-made is left behind"


def test_a_counter_offer_that_is_taken_becomes_a_plan(azure: Berth) -> None:
    chat = azure.chat()
    chat.say(f"{SPARK}, GPU for training, in westus2")
    assert chat.kept is None
    chat.say("in eastus")
    assert chat.open_digest and "Standard_NC4as_T4_v3" in str(chat.inputs)
    chat.say("no")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("ARM_CLIENT_SECRET", "another-secret-altogether"), ("ARM_SUBSCRIPTION_ID", "00000000-0000-4000-8000-000000000000")],
)
def test_a_login_that_is_refused_is_told_with_the_setting_to_mend(
    azure_world: tuple[dict[str, Any], Path], tmp_path: Path, setting: str, value: str
) -> None:
    ready, folder = azure_world
    given = with_roles(environment(ready, folder), tmp_path, **{setting: value})
    with opened(given) as here:
        reply = provision(f"{SPARK}, in eastus", "operator", world=here)
    assert setting in reply.answer, reply.answer
    assert "another-secret" not in reply.answer
    assert (reply.plan, reply.phase) == (None, Phase.DRAFTING), "the request is kept"


def test_a_secret_that_has_expired_is_told_so(tmp_path: Path) -> None:
    expired = tmp_path / "expired.yaml"
    expired.write_text(
        f"name: Expired\nbased_on: {WORLDS / 'azure_subscription.yaml'}\nazure:\n  tenant: {{client_secret_expired: true}}\n"
    )
    with (
        world([str(expired)], tmp_path / "world", guests="none") as ready,
        opened(with_roles(environment(ready, tmp_path), tmp_path)) as here,
    ):
        reply = provision(f"{SPARK}, in eastus", "operator", world=here)
        assert "az ad app credential reset" in reply.answer, reply.answer
        assert ready["azure"]["client_secret"] not in reply.answer
