"""What is run before a change takes a machine away, and that nothing is taken away where it does not succeed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.pipeline.leaving import leave
from tools.pipeline.steps import Work, production
from tools.values.manifest import Command
from tools.values.plan import Change
from tools.values.trouble import WorldProblem


def work(folder: Path, *lines: str, kind: str = "change") -> Work:
    """Of a change that takes `node-3` away and makes `node-4`."""
    changes = (Change(address="a", action="delete", name="node-3"), Change(address="b", action="create", name="node-4"))
    farewell = tuple(Command(purpose="moving its work", argv=("sh", "-c", line), machine="node-1") for line in lines)
    said: list[str] = []
    part = SimpleNamespace(farewell=farewell)
    given = {"part": part, "part_plan": SimpleNamespace(changes=changes), "kind": kind, "run_folder": folder, "say": said.append}
    return cast(Work, SimpleNamespace(**given, said=said))


def test_each_machine_that_goes_is_named_and_others_are_left_alone(tmp_path: Path) -> None:
    assert leave(work(tmp_path, f"echo {{leaving}} >> {tmp_path}/gone")) == {"left": ["node-3"]}
    assert (tmp_path / "gone").read_text() == "node-3\n"


def test_what_cannot_leave_stops_the_change_before_the_rest(tmp_path: Path) -> None:
    with pytest.raises(WorldProblem) as problem:
        leave(work(tmp_path, "echo a pod is in the way; exit 1", f"touch {tmp_path}/after"))
    assert "a pod is in the way" in problem.value.detail and problem.value.retryable
    assert not (tmp_path / "after").exists()


def test_a_removal_of_all_of_it_moves_nothing(tmp_path: Path) -> None:
    leave(work(tmp_path, f"touch {tmp_path}/moved", kind="remove"))
    assert not (tmp_path / "moved").exists()


def test_it_comes_before_anything_is_changed_and_for_those_that_have_something_to_say() -> None:
    steps = {step.name: number for number, step in enumerate(production())}
    assert steps["recheck"] < steps["leave"] < steps["apply"]
    [step] = [one for one in production() if one.name == "leave"]
    applies = cast(Any, step.applies_to)
    assert applies(SimpleNamespace(farewell=(1,))) and not applies(SimpleNamespace(farewell=()))
