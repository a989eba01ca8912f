"""Named environments: the subscription, region, budget, tags and state backend of the site file hold where nobody says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server
from tests.stories_azure.conftest import ROOT, second_plan, with_roles
from tools.clients.settings import Settings
from tools.pipeline.run_folder import HANDOVER
from tools.pipeline.world import open_world, read_roles, read_site
from tools.rules.plans.approving import roles_held
from tools.values.requirements import Field, Needs, Origin, Requirements
from tools.values.site import Environment, StateStorage
from tools.values.trouble import RequestProblem

SITE, ROLES = ROOT / "docs" / "site.example.yaml", ROOT / "docs" / "roles.example.yaml"
PRODUCTION = "9a1d4c70-6b2e-4f83-8c55-02e7b1f3d946"
SPARK = "Spark environment, 50 GB of data daily"


@pytest.fixture(scope="module")
def two_subscriptions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Berth, str]]:
    """(server with the documented site file, id of the connected subscription): production has a subscription of its own."""
    folder = tmp_path_factory.mktemp("two_subscriptions")
    with world([str(WORLDS / "azure_two_subscriptions.yaml")], folder / "world", guests="none") as ready:
        given = with_roles(environment(ready, folder), folder, BERTH_SITE_FILE=str(SITE))
        with api_server(given, folder / "api_server.log") as server:
            yield server, ready["azure"]["subscription_id"]


def variables_of(berth: Berth, run_id: str) -> dict[str, Any]:
    found = json.loads((berth.home / "runs" / run_id / "data_workspace" / "terraform.tfvars.json").read_text())
    assert isinstance(found, dict)
    return found


def test_production_goes_to_its_own_subscription_region_and_tags(two_subscriptions: tuple[Berth, str]) -> None:
    berth, connected = two_subscriptions
    chat = berth.chat()
    planned = chat.say(f"{SPARK}, production")
    assert "The site's region for production." in planned.text
    assert "The site's budget for production." in planned.text
    assert "| team | ml | default: The site's team. |" in planned.text
    run = berth.home / "runs" / planned.run_id
    variables = variables_of(berth, planned.run_id)
    assert variables["subscription_id"] == PRODUCTION != connected
    assert variables["location"] == "westus2"
    assert variables["tags"]["cost_centre"] == "4711" and variables["tags"]["data_class"] == "internal"

    done = chat.say(f"approve {planned.digest}")
    assert "is done" in done.text, done.text
    state = json.loads((run / "data_workspace" / "terraform.tfstate").read_text())
    ids = [i["attributes"]["id"] for r in state["resources"] for i in r["instances"] if r["mode"] == "managed"]
    assert ids and all(one.startswith(f"/subscriptions/{PRODUCTION}/") for one in ids)

    backend = json.loads((run / "data_workspace" / HANDOVER).read_text())["terraform"]["backend"]["azurerm"]
    assert backend["storage_account_name"] == "stnorthwindstate" and backend["container_name"] == "tfstate"
    assert backend["key"] == f"{planned.run_id}/data_workspace.tfstate" and backend["use_azuread_auth"] is True
    assert not [name for name in backend if "key" in name and name != "key"], "nobody logs in with a key"
    code, words = second_plan(berth, run / "data_workspace")
    assert code == 0, words

    handed_over = run / "data_workspace" / "backend.tf.json"
    handed_over.write_text(json.dumps({"terraform": {"backend": {"azurerm": backend}}}))
    refused = chat.say("remove it")
    assert "The run folder was changed." in refused.text and "backend.tf.json" in refused.text, refused.text
    handed_over.unlink()

    removal = chat.say("remove it")
    assert "is removed" in chat.say(f"approve {removal.digest}").text


def test_development_stays_where_it_is_connected_with_its_state_beside_it(two_subscriptions: tuple[Berth, str]) -> None:
    berth, connected = two_subscriptions
    chat = berth.chat()
    planned = chat.say(f"{SPARK}, development")
    variables = variables_of(berth, planned.run_id)
    assert variables["subscription_id"] == connected
    assert variables["location"] == "eastus"
    assert "cost_centre" not in variables["tags"]
    folder = berth.home / "runs" / planned.run_id / "data_workspace"
    assert not [p.name for p in folder.iterdir() if "backend" in p.name]
    chat.say("no")


def test_what_is_said_goes_before_what_the_site_settles(two_subscriptions: tuple[Berth, str]) -> None:
    berth, _ = two_subscriptions
    chat = berth.chat()
    planned = chat.say(f"{SPARK}, production, in eastus, $7,000 a month")
    assert variables_of(berth, planned.run_id)["location"] == "eastus"
    assert "of the 7,000 allowed" in planned.text
    chat.say("no")


@pytest.mark.parametrize(
    ("typed", "answered", "next_move"),
    [
        ("Spark environment, 5 TB of data daily, development", "more than the budget of 1,500", "It would fit with a budget of"),
        (
            "a PostgreSQL database for 100 users, production, on network 20",
            "keeps production on azure alone",
            "Say another environment.",
        ),
    ],
)
def test_what_an_environment_does_not_allow(
    two_subscriptions: tuple[Berth, str], typed: str, answered: str, next_move: str
) -> None:
    berth, _ = two_subscriptions
    reply = berth.chat().say(typed)
    assert answered in reply.text, reply.text
    assert next_move in reply.text, reply.text
    assert "To approve exactly" not in reply.text


def test_the_documented_files_are_read_as_they_are() -> None:
    settings = Settings.from_environment({"BERTH_SITE_FILE": str(SITE), "BERTH_ROLES_FILE": str(ROLES), "HOME": "/nowhere"})
    site = read_site(settings)
    assert [one.name for one in site.environments] == ["production", "development"]
    assert site.environment("production").budget_monthly == 6000
    assert site.environment("development").state_backend == "local"
    roles = read_roles(settings.roles_file)
    assert roles_held("carol@example.org", roles, single_operator=False) == ("vp",)
    assert roles_held("eve@example.org", roles, single_operator=False) == ()
    assert {"manager", "vp", "security"} <= set(roles_held("anybody", roles, single_operator=True)), "one person on loopback"


def test_one_request_stays_in_one_subscription(tmp_path: Path) -> None:
    given = {"BERTH_SITE_FILE": str(SITE), "BERTH_HOME": str(tmp_path), "HOME": "/nowhere", "ARM_SUBSCRIPTION_ID": "connected"}
    opened = open_world(Settings.from_environment(given))
    other = Environment(name="staging", subscription_id="another")
    opened = replace(opened, site=opened.site.model_copy(update={"environments": (*opened.site.environments, other)}))

    def asking(*names: str) -> Requirements:
        region = Field(name="region", value="eastus", origin=Origin.SAID)
        fields = [(Field(name="environment", value=name, origin=Origin.SAID), region) for name in names]
        return Requirements(requester="ops", parts=tuple(Needs(capability="storage_account", fields=both) for both in fields))

    assert opened.settings_for(asking("development")).arm_subscription_id == "connected"
    assert opened.settings_for(asking("production", "production")).arm_subscription_id == PRODUCTION
    for pair in (("production", "staging"), ("development", "production")):
        with pytest.raises(RequestProblem, match="Two subscriptions"):
            opened.settings_for(asking(*pair))


def test_the_document_names_every_setting_of_an_environment() -> None:
    text = (ROOT / "docs" / "environments.md").read_text()
    missing = [name for name in (*Environment.model_fields, *StateStorage.model_fields) if f"`{name}`" not in text]
    assert not missing
    assert HANDOVER in text


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("environments: [{name: production, state_backend: azurerm}]", "needs a storage account and a container"),
        ("environments: [{name: production, state_backend: s3}]", "state_backend"),
        ("environments: [{name: production, platform: mars}]", "platform"),
        ("environments: [{name: production, budget_monthly: 500, currency: EUR}]", "none is in EUR"),
        (
            "environments: [{name: p, state_backend: azurerm, state_storage: {storage_account: 'a\"}', container: tfstate}}]",
            "storage_account",
        ),
    ],
)
def test_a_site_file_that_cannot_be_taken_is_told_so(tmp_path: Path, text: str, answered: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(RequestProblem, match="The site file cannot be taken") as told:
        read_site(Settings.from_environment({"BERTH_SITE_FILE": str(path), "HOME": "/nowhere"}))
    assert answered in str(told.value)
