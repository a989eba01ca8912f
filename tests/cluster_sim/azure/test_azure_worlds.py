"""Worlds that Azure could never be in are refused, each problem in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from azure_site import WORLD, section

from cluster_sim.azure import ImpossibleWorld, build, problems
from cluster_sim.clock import ManualClock

GROUP = "rg-analytics-old"


def _with(path: str, value: Any) -> dict[str, Any]:
    """The world with one thing changed; `path` goes down by dots."""
    world = section()
    at: Any = world
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    at[int(last) if isinstance(at, list) else last] = value
    return world


S = "subscriptions.0"
R = f"{S}.groups.{GROUP}.resources"


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("tenants", {}, "azure has the unknown key tenants (did you mean tenant?)"),
        ("tenant.id", "x", "tenant.id must be a GUID, not 'x'."),
        ("tenant.client_secret", "", "has no `client_secret`"),
        ("subscriptions", [], "There is no subscription"),
        ("regions", ["eastus", "estus2"], "There is no region called estus2 (did you mean eastus2?)."),
        ("operation_s", -1, "operation_s is '-1'; it must be a number from 0 to 3600."),
        (f"{S}.state", "Asleep", "is 'Asleep'; it must be one of Enabled, Warned, Disabled."),
        (f"{S}.quotas.estus", {"cores": 1}, "has quotas in estus, which is not one of its regions (did you mean eastus?)."),
        (f"{S}.quotas.eastus.NCFamily", 4, "There is no vCPU family called NCFamily"),
        (f"{S}.quotas.eastus.cores", {"limit": 4, "used": 5}, "The quota cores in eastus has 5 used of 4"),
        (
            f"{S}.policies",
            [{"name": "two", "required_tags": ["a"], "denied_types": ["b"]}],
            "Policy two must have exactly one of",
        ),
        (f"{S}.policies", [{"name": "far", "allowed_locations": ["mars"]}], "Policy far allows mars"),
        ("faults", [{"when": "PUT *", "answer": {"status": 200}}], "a fault's status is between 400 and 599"),
        ("faults", [{"when": "nonsense"}], "is a method and a path pattern"),
        (
            f"{S}.groups.{GROUP}.location",
            "mars",
            "rg-analytics-old cannot be: The provided location 'mars' is not available for resource group.",
        ),
        (f"{R}.0.name", "Capital", "cannot be: Capital is not a valid storage account name."),
        (f"{R}.0.name", "datalake", "The storage account named datalake is already taken."),
        (f"{R}.0.type", "Microsoft.Quantum/workspaces", "the type Microsoft.Quantum/workspaces is not simulated."),
        (
            f"{R}.1.properties.hardwareProfile.vmSize",
            "Standard_NC24ads_A100_v4",
            "is currently not available in location 'westeurope'",
        ),
        (f"{S}.quotas.westeurope.cores", 4, "results in exceeding approved cores Cores quota"),
        (f"{S}.deleted_vaults", [{"name": "kv"}], "Each of deleted_vaults needs a name, a group and a location"),
    ],
)
def test_an_impossible_world(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(ImpossibleWorld) as refusal:
        build(_with(path, value), ManualClock())
    assert sentence in str(refusal.value), refusal.value.problems


def test_all_problems_are_told_at_once() -> None:
    world = _with("tenant.id", "x")
    world["subscriptions"][0]["state"] = "Asleep"
    with pytest.raises(ImpossibleWorld) as refusal:
        build(world, ManualClock())
    assert len(refusal.value.problems) == 2


def test_the_world_file_itself_is_possible_and_as_told() -> None:
    part = build(section(), ManualClock())
    part.bind({name: f"https://127.0.0.1:{4443 + n}" for n, name in enumerate(part.services)})
    assert set(part.ready()) == {"url", "operator_network", "tenant_id", "subscription_id", "client_id", "client_secret"}
    assert set(part.services) == {"arm", "blob", "databricks", "databricks_2"}
    assert "simulated-secret" not in repr(part.cloud.world), "no secret in a traceback"


def test_the_readme_shows_a_world_that_can_be() -> None:
    readme = (WORLD.parents[1] / "azure" / "README.md").read_text("utf-8")
    text = readme.split("```yaml\n")[1].split("```")[0]
    for words in ("GUID of a user", "GUID"):
        text = text.replace(words, "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c")
    assert problems(yaml.safe_load(text)["azure"]) == ()


def test_an_extension_stands_under_another_resource() -> None:
    lock = {
        "type": "Microsoft.Authorization/locks",
        "name": "keep",
        "under": "providers/Microsoft.Storage/storageAccounts/stnorthwindold",
        "properties": {"level": "CanNotDelete"},
    }
    world = section()
    world["subscriptions"][0]["groups"][GROUP]["resources"].append(lock)
    keys = build(world, ManualClock()).cloud.store.resources
    assert any(key.endswith("/storageaccounts/stnorthwindold/providers/microsoft.authorization/locks/keep") for key in keys)
