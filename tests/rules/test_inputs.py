"""What Terraform reads is what was approved: names of files, their sums, and the values that a plan would set."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.clients.files import write_private
from tools.pipeline.run_folder import assert_inputs, bench, inputs_of, inputs_sha256
from tools.rules.plans.changes import beyond
from tools.rules.plans.inputs import differences, is_read
from tools.values.plan import PartPlan
from tools.values.trouble import WorldProblem

READ = (
    *("main.tf", "override.tf", "x_override.tf", "x.tf.json", "x_override.tf.json", "x.tofu", "x.tofu.json", "x_override.tofu"),
    *("terraform.tfvars", "terraform.tfvars.json", "x.auto.tfvars", "x.auto.tfvars.json", ".auto.tfvars", ".auto.tfvars.json"),
    *(".terraform.lock.hcl", ".terraform/environment", ".terraform/terraform.tfstate"),
)
NOT_READ = ("plan.json", "tfplan", "terraform.tfstate", "guide.md", "main.tf.txt", "modules/x.tf", "tf", "backend.azurerm.json.example")


def folder_of(place: Path) -> tuple[Path, PartPlan]:
    folder = place / "web"
    folder.mkdir()
    for name in ("main.tf", "terraform.tfvars.json", ".terraform.lock.hcl", "terraform.tfstate", "tfplan"):
        write_private(folder / name, name)
    sums = dict.fromkeys(("plan_sha256", "plan_json_sha256", "state_sha256"), "0" * 64)
    known = tuple(inputs_of(folder).items())
    return folder, PartPlan(label="web", changes=(), inputs_sha256=inputs_sha256(folder), providers=(), inputs=known, **sums)


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("older", [False, True])
def test_what_is_laid_into_the_folder_changed_or_taken_from_it_is_refused_by_name(tmp_path: Path, name: str, older: bool) -> None:
    folder, approved = folder_of(tmp_path)
    known, approved = approved.inputs, approved.model_copy(update={"inputs": ()}) if older else approved
    assert_inputs(folder, approved)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("other")
    with pytest.raises(WorldProblem, match=name):
        assert_inputs(folder, approved)
    with pytest.raises(WorldProblem), bench(folder, approved):
        pass
    path.unlink()
    assert bool(differences(dict(known), inputs_of(folder))) == (name in dict(known))


def test_a_bench_holds_just_what_was_approved_and_what_exists(tmp_path: Path) -> None:
    folder, approved = folder_of(tmp_path)
    for name in NOT_READ[:1]:
        write_private(folder / name, "x")
    with bench(folder, approved) as place:
        assert {path.name for path in place.iterdir()} == {"main.tf", "terraform.tfvars.json", ".terraform.lock.hcl", "terraform.tfstate"}
        (folder / "x.auto.tfvars.json").write_text("{}")
        assert_inputs(place, approved)
        assert all(path.stat().st_mode & 0o077 == 0 for path in (place, *place.iterdir()))
    assert not place.exists()


@pytest.mark.parametrize("name", NOT_READ)
def test_other_files_may_lie_there(name: str) -> None:
    assert not is_read(name)


@given(st.text(max_size=20), st.sampled_from([".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".auto.tfvars", ".auto.tfvars.json"]))
def test_whatever_a_file_is_called_its_ending_counts(name: str, ending: str) -> None:
    assert is_read(name.replace("/", "") + ending)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=2), max_size=4), st.data())
def test_any_difference_is_told_and_names_its_file(approved: dict[str, str], data: st.DataObject) -> None:
    assert differences(approved, dict(approved)) == ()
    name, content = data.draw(st.text(min_size=1, max_size=8)), data.draw(st.text(max_size=2))
    found = {**approved, name: content}
    assert (differences(approved, found) == ()) == (found == approved)
    assert all(name in said for said in differences(approved, found))


def plan_of(address: str = "vm.a", actions: tuple[str, ...] = ("create",), **sides: Any) -> dict[str, Any]:
    change = {"actions": list(actions), "before": None, "after": None, "after_unknown": {}, **sides}
    return {"resource_changes": [{"address": address, "type": "vm", "name": "a", "mode": "managed", "change": change}]}


APPROVED = {"name": "a", "memory": [{"dedicated": 1024}], "tags": ["x"], "disk": [{"size": 8}, {"size": 9}]}


@pytest.mark.parametrize(
    ("approved", "wanted", "told"),
    [
        (plan_of(after=APPROVED), plan_of(after=APPROVED), ()),
        (plan_of(after=APPROVED), plan_of(after=APPROVED | {"memory": [{"dedicated": 2048}]}), ("vm.a: memory.dedicated",)),
        (plan_of(after=APPROVED), plan_of(after=APPROVED | {"tags": ["x", "y"]}), ("vm.a: tags",)),
        (plan_of(after=APPROVED), plan_of(after=APPROVED | {"more": True}), ("vm.a: more",)),
        (plan_of(after=APPROVED), plan_of(after=APPROVED | {"name": None}, after_unknown={"name": True}), ("vm.a: name",)),
        (plan_of(after=APPROVED), plan_of("vm.b", after=APPROVED), ("vm.b",)),
        (plan_of(after=APPROVED), plan_of(actions=("delete", "create"), after=APPROVED | {"tags": []}), ("vm.a: tags",)),
        (plan_of(after=APPROVED, after_unknown={"id": True}), plan_of(after=APPROVED | {"id": "1"}), ()),
        (plan_of(after={"ids": ["a", None]}, after_unknown={"ids": [False, True]}), plan_of(after={"ids": ["a", "b"]}), ()),
        (plan_of(after={"ids": ["a", None]}, after_unknown={"ids": [False, True]}), plan_of(after={"ids": ["c", "b"]}), ("vm.a: ids",)),
        (plan_of(after={"net": {}}, after_unknown={"net": {"id": True}}), plan_of(after={"net": {"id": "a"}}), ()),
        (plan_of(after={"net": {}}, after_unknown={"net": {"id": True}}), plan_of(after={"net": {"id": "a", "b": 1}}), ("vm.a: net.b",)),
        (plan_of(after={"net": {}}), plan_of(after={"net": {"id": "a"}}), ("vm.a: net", "vm.a: net.id")),
        (plan_of(after={"ids": [None]}, after_unknown={"ids": [True]}), plan_of(after={"ids": ["a", "b"]}), ("vm.a: ids",)),
        (plan_of(after={"size": 2}), plan_of(actions=("update",), before={"size": 1, "etag": "n"}, after={"size": 2, "etag": "n"}), ()),
        (plan_of(after={"size": 2}), plan_of(actions=("update",), before={"size": 1}, after={"size": 3}), ("vm.a: size",)),
        (plan_of(after=APPROVED), plan_of(actions=("delete",), before=APPROVED), ()),
        (plan_of(actions=("delete",), before=APPROVED), plan_of(after=APPROVED), ("vm.a",)),
    ],
)  # fmt: skip
def test_values_that_nobody_approved_are_told(approved: Any, wanted: Any, told: tuple[str, ...]) -> None:
    assert beyond(approved, wanted) == told


leaves = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text(max_size=2))
values = st.dictionaries(st.sampled_from("abcd"), st.recursive(leaves, lambda inner: st.lists(inner, max_size=2), max_leaves=4), max_size=4)


@given(values, st.sampled_from("abcd"), leaves)
def test_one_value_that_differs_is_always_told(after: dict[str, Any], name: str, value: Any) -> None:
    after = after | {"whole": True}
    other = deepcopy(after) | {name: value}
    same = other == after or (name not in after and value is None)
    assert (beyond(plan_of(after=after), plan_of(after=other)) == ()) == same
