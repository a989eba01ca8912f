"""Sensitive parts are confirmed by themselves, where the policy has not asked somebody else already."""

from __future__ import annotations

import pytest

from tools.rules.plans.approving import people, reply, wanted_roles


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
