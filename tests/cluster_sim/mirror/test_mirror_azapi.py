"""Real Terraform makes, changes and removes Azure resources through the stand-in, which calls what the released one does."""

from __future__ import annotations

from typing import Any

from tests.cluster_sim.mirror.harness import ServedSubscription, recorded
from tests.cluster_sim.mirror.small_subscription import SUBSCRIPTION
from tests.cluster_sim.mirror.workspaces import GROUP, recorded_vault


def test_the_life_of_the_recorded_group_and_vault(make_folder: Any, azure: ServedSubscription) -> None:
    folder = make_folder(azure.provider(GROUP + recorded_vault()), **azure.settings)
    folder.terraform("init")
    folder.terraform("validate")
    folder.terraform("plan", "-out=plan")
    calls = recorded("azapi-calls")
    for change in folder.json("show", "-json", "plan")["resource_changes"]:
        planned = calls["planned_on_create"][change["address"]]
        assert change["change"]["after"] == planned["after"]
        assert change["change"]["after_unknown"] == planned["after_unknown"]
    assert not azure.subscription.calls, "planning new resources asks Azure nothing"

    folder.terraform("apply", "plan")
    assert seen(azure) == expected(calls["create"])
    vault = next(r for r in folder.json("show", "-json")["values"]["root_module"]["resources"] if r["name"] == "vault")
    assert vault["values"]["output"] == {"properties": {"vaultUri": "https://kv-ml.vault.example/"}}

    folder.terraform("plan", "-detailed-exitcode")
    assert seen(azure) == expected(calls["refresh"])
    (folder.path / "main.tf").write_text(azure.provider(GROUP + recorded_vault(soft_delete="false")))
    folder.terraform("apply", "-auto-approve")
    assert seen(azure) == expected(calls["update"])
    folder.terraform("plan", "-detailed-exitcode")
    seen(azure)
    folder.terraform("destroy", "-auto-approve")
    assert seen(azure) == expected(calls["destroy"])
    assert not azure.subscription.resources


def seen(azure: ServedSubscription) -> list[Any]:
    """The calls since the last look, in the recording's form."""
    calls = [
        ("GET", "<ASYNC OPERATION>", None) if "/operations/" in path else (m, path, body) for m, path, _, body in azure.subscription.calls
    ]
    azure.subscription.calls.clear()
    return calls


def expected(calls: list[dict[str, Any]]) -> list[Any]:
    return [(call["method"], call["path"].replace("<SUBSCRIPTION>", SUBSCRIPTION), call.get("body")) for call in calls]
