"""What was recorded of a run is planned again to the same bytes, by another process; or the first difference is shown."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clusters import SITE, four_nodes
from machine_chain import POSTGRESQL, VM, WEB, offered

from tests.engine.builders import world_at
from tests.ledger.builders import NOON, approval, plan
from tools.clients.files import private_folder
from tools.pipeline.drafting import draft
from tools.pipeline.replaying import FILE, keep, remember, replay
from tools.pipeline.run_folder import with_run_key, write_json
from tools.pipeline.world import World
from tools.rules.plans.approving import signed
from tools.rules.plans.inputs import VARIABLES
from tools.rules.plans.picking import pick_by_rule
from tools.rules.plans.replaying import first_difference
from tools.values.made_from import MadeFrom
from tools.values.manifest import Manifest
from tools.values.review import Review
from tools.values.shapes import read
from tools.values.site import Reserved
from tools.values.trouble import RequestProblem, WorldProblem

ASKED = [("virtual_machine", VM), ("postgresql", POSTGRESQL), ("web_server", WEB)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = replace(world_at(tmp_path / "home", now=lambda: NOON), site=SITE)
    yield made
    made.ledger.close()


def run(world: World, manifest: Manifest, review: Review, run_id: str) -> Path:
    """As far as the ledger and the folder have it."""
    folder = private_folder(world.run_folder(run_id))
    keep(world, manifest, folder)
    for part in manifest.parts:
        write_json(private_folder(folder / part.label) / VARIABLES, with_run_key(part, folder))
    made = plan(run_id, manifest_digest=manifest.digest, review_digest=review.digest)
    world.ledger.plans.add(made, manifest, review, run_id, Reserved(), NOON)
    world.ledger.plans.approve(signed(approval(made, nonce=made.digest), world.ledger.key), NOON)
    assert world.ledger.runs.begin(made, [], NOON)
    world.ledger.runs.set_status(run_id, "done", "running", NOON)
    return folder


def drafted(world: World, capability: str, said: dict[str, str]) -> tuple[Manifest, Review]:
    requirements, offer = offered(capability, said, four_nodes())
    return draft(world, requirements, offer, pick_by_rule(offer), {"proxmox": four_nodes()})


def test_recorded_runs_come_to_the_same_bytes_in_another_process(world: World) -> None:
    for number, (capability, said) in enumerate(ASKED):
        run(world, *drafted(world, capability, said), f"run-{number}")
    for number, (capability, _) in enumerate(ASKED):
        berth = [str(Path(sys.executable).with_name("berth")), "replay", f"run-{number}", "--json"]
        home = {"BERTH_HOME": str(world.settings.home), "HOME": str(world.settings.home), "PATH": os.environ["PATH"]}
        ended = subprocess.run(berth, env={**home, "PYTHONHASHSEED": str(number + 1)}, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        said_again = json.loads(ended.stdout)
        assert said_again["compared"] == ["manifest", f"{capability}/{VARIABLES}"] and said_again["difference"] is None


def test_another_site_file_by_now_changes_nothing(world: World) -> None:
    run(world, *drafted(world, *ASKED[0]), "run-1")
    assert replay(replace(world, site=SITE.model_copy(update={"team": "another"})), "run-1").difference is None


def test_the_first_difference_is_shown(world: World) -> None:
    manifest, review = drafted(world, *ASKED[0])
    folder = run(world, manifest, review, "run-1")
    file = folder / "virtual_machine" / VARIABLES
    file.write_text(file.read_text().replace('"memory_mib": 8192', '"memory_mib": 4096'))
    found = replay(world, "run-1")
    assert found.compared == ("manifest",) and found.difference is not None
    where, recorded, now = found.difference
    assert where.startswith(f"virtual_machine/{VARIABLES}: ") and where.endswith("memory_mib") and (recorded, now) == ("4096", "8192")


def test_a_manifest_that_does_not_follow_from_what_it_was_made_from_is_seen(world: World) -> None:
    """As a Berth that composes otherwise would see it."""
    manifest, review = drafted(world, *ASKED[0])
    text, seen = world.made_from[manifest.digest]
    made_from = read(MadeFrom, text, "it")
    taken = made_from.model_copy(update={"reserved": Reserved(vm_ids=frozenset({manifest.parts[0].machines[0].vm_id}))})
    kept = remember(world, manifest, taken, {"proxmox": four_nodes()})
    world.ledger.audit.record(NOON, "drafted", manifest=manifest.digest, made_from=kept)
    run(world, manifest, review, "run-1")
    found = replay(world, "run-1")
    assert found.difference is not None and found.difference[0].endswith("vm_id") and seen


def test_what_was_changed_since_or_never_kept_is_told(world: World) -> None:
    folder = run(world, *drafted(world, *ASKED[0]), "run-1")
    file, whole = folder / FILE, (folder / FILE).read_bytes()
    lines = gzip.decompress(whole).decode().split("\n")
    for changed in (
        [lines[0].replace('"operator"', '"somebody"'), *lines[1:]],
        [lines[0], lines[1].replace('"pve1"', '"pve9"')],
        lines[:1],
    ):
        assert changed != lines
        file.write_bytes(gzip.compress("\n".join(changed).encode()))
        with pytest.raises(WorldProblem):
            replay(world, "run-1")
    file.write_bytes(whole[:50])
    with pytest.raises(WorldProblem):
        replay(world, "run-1")
    file.unlink()
    with pytest.raises(RequestProblem):
        replay(world, "run-1")


@pytest.mark.parametrize(
    ("led_back", "forgotten", "why"), [(True, False, "it leads back from a change"), (False, True, "what another plan was made from")]
)
def test_a_later_plan_of_which_nothing_was_kept_accuses_nobody(world: World, led_back: bool, forgotten: bool, why: str) -> None:
    """The run's folder still has what the plan before it was made from."""
    run(world, *drafted(world, *ASKED[0]), "run-1")
    manifest, review = drafted(world, *ASKED[0 if led_back else 1])
    if led_back:
        manifest = manifest.model_copy(update={"parent_digest": "0" * 64})
        review = review.model_copy(update={"manifest_digest": manifest.digest})
    if forgotten:
        world.made_from.clear()
    run(world, manifest, review, "run-1")
    with pytest.raises(RequestProblem, match=why):
        replay(world, "run-1")


def test_variables_that_are_no_json_any_more_are_a_difference(world: World) -> None:
    folder = run(world, *drafted(world, *ASKED[0]), "run-1")
    (folder / "virtual_machine" / VARIABLES).write_text("{")
    found = replay(world, "run-1")
    assert found.difference is not None and found.difference[1] == "'{'"


@pytest.mark.parametrize(
    ("recorded", "again", "difference"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, None),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ("a[1].b", "2", "3")),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ("a", "1", "2")),
        ({"a": 1}, {"a": 1, "z": None}, ("z", "nothing", "None")),
        ([1, 2], [1], ("[1]", "2", "nothing")),
        ({"a": 1}, {"a": True}, ("a", "1", "True")),
        ({"a": 1}, {"a": 1.0}, ("a", "1", "1.0")),
        ({"a": {}}, {"a": []}, ("a", "{}", "[]")),
    ],
)
def test_differences_in_order(recorded: Any, again: Any, difference: Any) -> None:
    assert first_difference(recorded, again) == difference
