"""What cannot be had on Azure: each refusal is a whole sentence with the counter-offer or the next move, and the conversation goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server
from tests.stories.test_bad_input import assert_is_a_whole_answer, run_folders
from tests.stories_azure.conftest import with_roles

SPARK = "Spark environment for our ML team, 200 GB of data daily"


@pytest.mark.parametrize(
    ("typed", "answered", "next_move"),
    [
        (f"{SPARK}, in northpole", "no Azure region called northpole", "Did you mean northeurope?"),
        (f"{SPARK}, in eastus22", "no Azure region called eastus22", "Did you mean eastus2?"),
        (f"{SPARK}, in westeurope", "requirements.region is westeurope", "It would pass with region eastus."),
        (f"{SPARK}, in eastus and in westus2", "You named eastus and westus2", "Say which: `in eastus` or `in westus2`"),
        (f"{SPARK}, in eastus, $8/month", "more than the budget of 8", "It would fit with a budget of"),
        (f"{SPARK}, in eastus, €500/month", "List prices are in USD, and none is in EUR", "State the budget in USD"),
        (f"{SPARK}, in eastus, budget of $0 a month", "cannot be a budget", "Say a sum above nothing"),
        (f"{SPARK}, GPU for training, in westus2", "of 0 vCPU", "It would fit in eastus"),
        ("Spark environment for our ML team, in eastus", "How much data is worked on each day?", "5 TB daily"),
        (f"{SPARK}, in eastus, called Data Lake!", "cannot be part of Azure names", "would do"),
        ("Databricks for the ml team, in eastus, resource group rg-network-hub", "a resource group rg-network-hub already", "another name"),
        ("a storage account called Data for the ml team, 200 GB", "small letters and digits only", "data would do"),
        ("a storage account called stnorthwindold for the ml team, 200 GB, in eastus", "it is in use", "stnorthwindold2"),
        ("Azure OpenAI gpt-4.1 in westus3 for the ml team", "0 of 0 are left", "It would fit with gpt-4.1-mini"),
        ("open port 22 from the internet on nsg-shared", "is not opened to the whole internet", "Say from which addresses"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_said_with_what_can(azure: Berth, typed: str, answered: str, next_move: str) -> None:
    chat, before = azure.chat(), run_folders(azure)
    reply = chat.say(typed)
    assert answered in reply.text, reply.text
    assert next_move in reply.text, reply.text
    assert "To approve exactly" not in reply.text
    assert_is_a_whole_answer(reply.text)
    assert run_folders(azure) == before, "nothing half-made is left behind"
    assert "I know" in chat.say("help").text


def test_a_counter_offer_that_is_taken_becomes_a_plan(azure: Berth) -> None:
    chat = azure.chat()
    assert "It would fit in eastus" in chat.say(f"{SPARK}, GPU for training, in westus2").text
    taken = chat.say("in eastus")
    assert taken.digest and "Standard_NC4as_T4_v3" in taken.text
    chat.say("no")


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("ARM_CLIENT_SECRET", "another-secret-altogether", "its secret is another one"),
        ("ARM_SUBSCRIPTION_ID", "00000000-0000-4000-8000-000000000000", "no subscription 00000000"),
    ],
)
def test_a_login_that_is_refused_is_told_with_the_setting_to_mend(
    azure_world: tuple[dict[str, Any], Path], tmp_path: Path, setting: str, value: str, reason: str
) -> None:
    ready, folder = azure_world
    given = with_roles(environment(ready, folder), tmp_path, **{setting: value})
    with api_server(given, tmp_path / "api_server.log") as berth:
        chat = berth.chat()
        reply = chat.say(f"{SPARK}, in eastus")
        assert reason in reply.text and setting in reply.text, reply.text
        assert "another-secret" not in reply.text
        assert "To approve exactly" not in reply.text
        assert "`retry`" in chat.say("status").text, "the request is kept"


def test_a_secret_that_has_expired_is_told_so(tmp_path: Path) -> None:
    expired = tmp_path / "expired.yaml"
    expired.write_text(
        f"name: Expired\nbased_on: {WORLDS / 'azure_subscription.yaml'}\nazure:\n  tenant: {{client_secret_expired: true}}\n"
    )
    with (
        world([str(expired)], tmp_path / "world", guests="none") as ready,
        api_server(with_roles(environment(ready, tmp_path), tmp_path), tmp_path / "api_server.log") as berth,
    ):
        reply = berth.chat().say(f"{SPARK}, in eastus")
        assert "its secret has expired" in reply.text and "az ad app credential reset" in reply.text, reply.text
        assert ready["azure"]["client_secret"] not in reply.text
