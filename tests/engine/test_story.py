"""From a manifest to a receipt and back to nothing, with real Terraform and the real engine."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tools.pipeline import carry_out, engine
from tools.pipeline.prepare import prepare_removal
from tools.pipeline.world import World
from tools.values.trouble import RequestProblem

from .builders import counting, lines, manifest_of, part_named, planned, world_at


def approve_and_start(world: World, plan_digest: str, words: str = "approve it") -> str:
    approved = carry_out.approve(world, plan_digest[:12], "ops", words)
    assert approved.missing_roles == ()
    return carry_out.start(world, plan_digest)


def test_a_plan_is_approved_carried_out_and_removed(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects, machines=2)))
    assert [change.action for change in plan.parts[0].changes] == ["create", "create"]

    run_id = approve_and_start(world, plan.digest)
    told = [line.text for line in carry_out.follow(world, run_id)]

    run = carry_out.run_of(world, run_id)
    assert run.status == "done", told
    assert sorted(lines(effects)) == sorted(
        ["recheck web", "made web-00", "made web-01", "wait web", "configure web", "watch web", "verify web", "guide web"]
    )
    assert run.receipt is not None
    assert run.receipt.parts[0].outputs["machines"]["web-01"]["vm_id"] == 20001
    assert run.receipt.parts[0].verified == ("It answers.",)
    assert any("creating web-00" in text for text in told)

    removal = prepare_removal(world, "talk", run_id, "ops")
    assert [change.action for change in removal.parts[0].changes] == ["delete", "delete"]
    approve_and_start(world, removal.digest)
    list(carry_out.follow(world, run_id))
    assert carry_out.run_of(world, run_id).status == "removed"
    assert lines(effects)[-2:] in (["removed web-00", "removed web-01"], ["removed web-01", "removed web-00"])
    with pytest.raises(RequestProblem, match="nothing to remove"):
        prepare_removal(world, "talk", run_id, "ops")
    assert world.ledger.verify().holds
    actions = [record.facts["action"] for record in world.ledger.audit.read(run_id)]
    assert actions == ["planned", "begun", "applying", "applied", "ended"] * 2


def test_the_run_folder_is_private_and_complete(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects)))
    list(carry_out.follow(world, approve_and_start(world, plan.digest)))
    folder = world.run_folder(plan.run_id)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for name in ("manifest.json", "review.json", "plan.json", "approval.json", "receipt.json", "journal.log"):
        assert (folder / name).exists(), name
    variables = json.loads((folder / "web" / "terraform.tfvars.json").read_text())
    assert variables["machines"][0]["public_keys"] == [(folder / "secrets" / "ssh_key.pub").read_text().strip()]
    password = (folder / "secrets" / "database_password").read_text().strip()
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name != "secrets":
            assert password.encode() not in path.read_bytes(), path


def test_one_postgresql_serves_the_ledger_and_the_engine(tmp_path: Path, effects: Path, postgresql_url: str) -> None:
    world = world_at(tmp_path / "home", environment={"BERTH_DATABASE_URL": postgresql_url})
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects)))
    run_id = approve_and_start(world, plan.digest)
    told = [line.text for line in carry_out.follow(world, run_id)]
    assert carry_out.run_of(world, run_id).status == "done", told
    assert not (tmp_path / "home" / "ledger.db").exists()
    assert not (tmp_path / "home" / "engine.db").exists()
    engine.close()
    world.ledger.close()
