"""Named environments: the subscription, region, budget, tags and state backend of the site file hold where nobody says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server
from tests.engine.test_terraform import in_environment
from tests.stories_azure.conftest import ROOT, approve, second_plan, with_roles
from tools.clients.settings import Settings
from tools.clients.terraform import BACKEND
from tools.pipeline.state_place import HANDOVER, spelled
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
    with (
        world([str(WORLDS / "azure_two_subscriptions.yaml")], folder / "world", guests="none") as ready,
        in_environment(HTTPS_PROXY=ready["azure"]["proxy"], NO_PROXY="127.0.0.1,localhost"),
    ):
        given = with_roles(environment(ready, folder), folder, BERTH_SITE_FILE=str(SITE))
        with api_server(given, folder / "api_server.log") as server:
            yield server, ready["azure"]["subscription_id"]


@pytest.mark.systems
def test_production_goes_to_its_own_subscription_region_and_tags(two_subscriptions: tuple[Berth, str]) -> None:
    berth, connected = two_subscriptions
    chat = berth.chat()
    chat.say(f"{SPARK}, production")
    settled = {name: chat.required(name) for name in ("region", "budget_monthly", "team")}
    assert {name: field.value for name, field in settled.items()} == {"region": "westus2", "budget_monthly": 6000, "team": "ml"}
    assert {field.origin for field in settled.values()} == {Origin.DEFAULT}, "nobody said them: the site's file did"
    variables = chat.inputs
    assert variables["subscription_id"] == PRODUCTION != connected
    assert variables["location"] == "westus2"
    assert variables["tags"]["cost_centre"] == "4711" and variables["tags"]["data_class"] == "internal"

    done = approve(chat)
    assert chat.run.status == "done", done.text
    ids = [one["id"] for one in chat.state() if "parent_id" in one]
    assert ids and all(one.startswith(f"/subscriptions/{PRODUCTION}/") for one in ids)

    folder = chat.folder / "data_workspace"
    backend = json.loads((folder / BACKEND).read_text())["terraform"]["backend"]["azurerm"]
    assert backend["storage_account_name"] == "stnorthwindstate" and backend["container_name"] == "tfstate"
    assert backend["key"] == f"northwind/{chat.run.id}/data_workspace.tfstate" and backend["use_azuread_auth"] is True
    assert not [name for name in backend if "key" in name and name != "key"], "nobody logs in with a key"
    assert not list(folder.rglob("terraform.tfstate.backup")) and not (folder / "terraform.tfstate").exists(), "the record is in the blob"
    code, words = second_plan(berth, folder)
    assert code == 0, words
    assert not chat.drift()

    (folder / BACKEND).write_text(json.dumps({"terraform": {"backend": {"azurerm": {**backend, "storage_account_name": "stelsewhere"}}}}))
    refused = chat.say("remove it")
    assert "The run folder was changed" in refused.text and not chat.open_digest, "a planted backend would send the record elsewhere"
    (folder / BACKEND).write_bytes(spelled({"terraform": {"backend": {"azurerm": backend}}}))

    chat.say("remove it")
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text


def test_development_stays_where_it_is_connected_with_its_state_beside_it(two_subscriptions: tuple[Berth, str]) -> None:
    berth, connected = two_subscriptions
    chat = berth.chat()
    chat.say(f"{SPARK}, development")
    assert chat.inputs["subscription_id"] == connected
    assert chat.inputs["location"] == "eastus"
    assert "cost_centre" not in chat.inputs["tags"]
    example = json.loads((chat.folder / "data_workspace" / HANDOVER).read_text())["terraform"]["backend"]["azurerm"]
    assert example["container_name"] == "tfstate-development" and not (chat.folder / "data_workspace" / BACKEND).exists()
    chat.say("no")


def test_what_is_said_goes_before_what_the_site_settles(two_subscriptions: tuple[Berth, str]) -> None:
    berth, _ = two_subscriptions
    chat = berth.chat()
    chat.say(f"{SPARK}, production, in eastus, $7,000 a month")
    assert chat.inputs["location"] == "eastus"
    assert chat.required("budget_monthly").value == 7000
    chat.say("no")


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("Spark environment, 5 TB of data daily, development", ("1,500", "budget of")),
        ("a PostgreSQL database for 100 users, production, on network 20", ("“20”", "Azure")),
    ],
)
def test_what_an_environment_does_not_allow(two_subscriptions: tuple[Berth, str], typed: str, named: tuple[str, ...]) -> None:
    berth, _ = two_subscriptions
    chat = berth.chat()
    reply = chat.say(typed)
    assert [one for one in named if one not in reply.text] == [], reply.text
    assert chat.kept is None


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
        return Requirements(
            requester="ops", parts=tuple(Needs(capability="storage_account", platform="azure", fields=both) for both in fields)
        )

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
