"""What a machine may be called, and what was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.names import naming
from tools.values.site import Site


@pytest.mark.parametrize("name", ["db-01", "a", "0", "x" * 63, "build-01"])
def test_names_that_may_be_used(name: str) -> None:
    assert naming.name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ('db"\n01', "db-01"),
        ("-db", "db"),
        ("DB_01", "db-01"),
        ("x" * 64, "x" * 63),
        ("${file(1)}", "file-1"),
        ("", ""),
        ("数据库", ""),
    ],
)
def test_names_that_may_not_come_with_one_that_may(name: str, instead: str) -> None:
    problem = naming.name_problem(name)
    assert "cannot be the name of a machine" in problem
    assert "\n" not in problem
    assert (f"{instead} would do" in problem) if instead else "Say a name" in problem


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_gets_one_sentence(name: str) -> None:
    problem = naming.name_problem(name)
    assert (problem == "") == bool(naming.NAME.fullmatch(name))
    assert "\n" not in problem
    assert len(problem) < 500
    assert naming.repair(name) == "" or not naming.name_problem(naming.repair(name))


def test_names_by_convention_pass_over_taken_ones() -> None:
    assert naming.names("db", 3, {"db-01", "db-03"}, Site()) == ("db-02", "db-04", "db-05")


@pytest.mark.parametrize(
    ("name", "count", "numbered"),
    [
        ("build-01", 1, ("build-01",)),
        ("build-09", 3, ("build-09", "build-10", "build-11")),
        ("web", 2, ("web-1", "web-2")),
        ("7", 2, ("7-1", "7-2")),
        ("app-1, app-3", 2, ("app-1", "app-3")),
    ],
)
def test_several_are_numbered_from_the_name_that_was_said(name: str, count: int, numbered: tuple[str, ...]) -> None:
    assert naming.numbered(name, count) == numbered


def test_a_misspelt_node_is_told_with_the_one_that_was_meant() -> None:
    assert naming.unknown("node", "pev3", ["pve1", "pve2", "pve3"]) == "There is no node called pev3. Did you mean pve3?"
    assert naming.unknown("network", "99", ["20", "prod"]) == "There is no network called 99. There is: 20, prod."
