"""Sensitive parts are confirmed by themselves, where the policy has not asked somebody else already."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.builders import part_named
from tools.rules.plans.approving import name_to_type, people, reply, roles_to_take_away, wanted_roles
from tools.rules.words.conversation import read
from tools.values.plan import Change
from tools.values.requirements import Field, Origin


@pytest.mark.parametrize(
    ("policy", "sensitive", "wanted", "asked"),
    [
        ([], [], ["operator"], 1),
        ([], [("ports", "It opens a port.")], ["operator", "confirm ports"], 1),
        ([("vp", "x")], [("ports", "It opens a port.")], ["vp"], 1),
        ([("vp", "x"), ("security", "y"), ("vp", "z")], [], ["vp", "security"], 2),
    ],
)
def test_who_is_asked(policy: list[tuple[str, str]], sensitive: list[tuple[str, str]], wanted: list[str], asked: int) -> None:
    roles = wanted_roles(policy, sensitive)
    assert [role for role, _ in roles] == wanted
    assert people(roles) == asked


def test_what_is_typed() -> None:
    assert reply("0123456789ab", "confirm ports") == "confirm 0123456789ab ports"
    assert reply("0123456789ab", "vp") == "approve 0123456789ab as vp"


@pytest.mark.parametrize(
    ("made_by", "asked", "production", "wanted"),
    [
        ([], [], [], ["operator"]),
        ([("operator", "a")], [], ["orders-db"], ["operator", "confirm orders-db"]),
        ([("vp", "a"), ("security", "b"), ("vp", "c")], [], [], ["vp", "security"]),
        ([("vp", "a")], [("manager", "b"), ("vp", "c")], ["Orders-DB"], ["vp", "manager", "confirm orders-db"]),
        ([("operator", "a"), ("confirm ports", "b")], [], [], ["operator", "confirm ports"]),
    ],
)
def test_taking_away_needs_no_less_than_making_did(
    made_by: list[tuple[str, str]], asked: list[tuple[str, str]], production: list[str], wanted: list[str]
) -> None:
    roles = roles_to_take_away(made_by, asked, production)
    assert [role for role, _ in roles] == wanted
    assert {role for role, _ in made_by} <= {role for role, _ in roles}
    for role, _ in roles:
        assert read(reply("0123456789ab", role)).role == role


@pytest.mark.parametrize(("environment", "name"), [("production", "web-00"), ("development", "")])
def test_what_is_in_production_goes_by_its_name(environment: str, name: str) -> None:
    part = part_named("web", Path("effects"))
    field = Field(name="environment", value=environment, origin=Origin.SAID, words=environment)
    part = part.model_copy(update={"needs": part.needs.model_copy(update={"fields": (field,)})})
    assert name_to_type(part) == name
    fewer = part.model_copy(update={"lets_go": ("vm.b", "vm.c")})
    changes = [Change(address=f"vm.{one}", action=action, name=f"web-{one}") for one, action in (("a", "update"), ("c", "delete"))]  # type: ignore[arg-type]
    assert name_to_type(fewer, changes) == (name and "web-c"), "the one that goes, and not the first of those that stay"
