"""What a login may do is known before anything is planned: the rights of each module, what is lacking, and the line that grants it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cluster_sim.azure.data import table
from tools.clients.settings import Settings
from tools.pipeline.doctor import examine
from tools.rules.azure import rights
from tools.values.snapshot import Permission, SubscriptionSnapshot

from .conftest import ROOT, composed, errors

LAKE, SPARK = "a storage account for the ml team in eastus", "spark for the ml team, 100 GB daily, in eastus"


def may(role: str) -> tuple[Permission, ...]:
    known = table("permissions")[role]
    return (Permission(actions=tuple(known["actions"]), not_actions=tuple(known["notActions"])),)


def made_by(folder: Path) -> set[str]:
    text = "".join(file.read_text() for file in folder.glob("*.tf"))
    return set(re.findall(r'^\s*type\s*= "(Microsoft\.[^@"]+)@', text, re.MULTILINE))


def test_the_table_names_the_types_that_each_module_makes() -> None:
    there = {folder.name: made_by(folder) for folder in (ROOT / "terraform").iterdir() if folder.is_dir()}
    assert {name: set(types) for name, types in rights.modules().items()} == {name: types for name, types in there.items() if types}


@pytest.mark.parametrize(
    ("pattern", "right", "matches"),
    [
        ("*", "Microsoft.Storage/storageAccounts/write", True),
        ("*/read", "Microsoft.Storage/storageAccounts/read", True),
        ("*/read", "Microsoft.Storage/storageAccounts/write", False),
        ("Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", True),
        ("Microsoft.Storage/*", "Microsoft.StorageSync/x/read", False),
        ("Microsoft.Storage/storageAccounts/write", "microsoft.storage/storageaccounts/Write", True),
    ],
)
def test_a_right_is_matched_as_azure_does(pattern: str, right: str, matches: bool) -> None:
    assert (rights.lacking((right,), (Permission(actions=(pattern,)),)) == ()) is matches


@pytest.mark.parametrize(
    ("role", "words", "lacks", "role_named"),
    [
        ("Owner", SPARK, "", ""),
        ("Contributor", LAKE, "", ""),
        ("Contributor", SPARK, "Microsoft.Authorization/roleAssignments/write", rights.ASSIGNER),
        ("Reader", LAKE, "Microsoft.Storage/storageAccounts/write", "Contributor"),
        ("Reader", SPARK, "Microsoft.Authorization/roleAssignments/write", rights.ROLE_NAME),
    ],
)
def test_what_a_login_lacks_is_told_before_the_plan(seen: SubscriptionSnapshot, role: str, words: str, lacks: str, role_named: str) -> None:
    at = seen.model_copy(update={"permissions": may(role)})
    part = composed(words, at).parts[0]
    lacking = rights.missing((part.module,), at)
    assert (lacks in lacking) is bool(lacks) and (errors(part, at) == {"rights"}) is bool(lacks)
    if lacks:
        line = rights.grant(lacking, at)
        assert f'--role "{role_named}"' in line and f"--assignee {at.principal} " in line and line.endswith(at.subscription_id)


def test_a_provider_that_is_not_registered_is_registered_by_who_may(seen: SubscriptionSnapshot) -> None:
    closed = seen.model_copy(update={"unregistered": ("Microsoft.Storage", "Microsoft.Databricks")})
    assert rights.missing(("storage_account",), closed) == ()
    narrow = Permission(actions=(*rights.wanted(["storage_account"]),))
    assert rights.missing(("storage_account",), closed.model_copy(update={"permissions": (narrow,)})) == (
        "Microsoft.Storage/register/action",
    )


def test_the_role_that_is_printed_is_enough_and_is_less_than_contributor(seen: SubscriptionSnapshot) -> None:
    role = json.loads(rights.role_definition(rights.modules(), seen))
    only = Permission(actions=tuple(role["Actions"]))
    assert rights.missing(rights.modules(), seen.model_copy(update={"permissions": (only,)})) == ()
    assert rights.lacking(("Microsoft.Web/sites/write",), (only,))


def test_the_doctor_finds_a_healthy_subscription_healthy(azure_settings: Settings) -> None:
    found = {one.subject: one for one in examine(azure_settings) if one.subject.startswith("azure")}
    assert all(one.good for one in found.values()), [one for one in found.values() if not one.good]
    assert {"azure", "azure, rights", "azure, regions"} <= set(found)
