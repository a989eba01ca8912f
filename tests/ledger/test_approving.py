"""Who may approve what, and which approvals hold: tables over the pure rules."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from tools.rules.plans import approving
from tools.values.plan import Plan
from tools.values.trouble import RequestProblem

from .builders import NOON, approval, plan

KEY = b"k" * 32
ROLES = {"alice": ("operator", "manager"), "bob": ("vp",), "carol": ("operator", "manager", "vp"), "dora": ("security",)}
SEVERAL = (("operator", "always"), ("manager", "costly"), ("vp", "very costly"))


def several() -> Plan:
    return plan(approvals=SEVERAL)


@pytest.mark.parametrize(
    ("principal", "said", "single", "role"),
    [
        ("ops", None, True, "operator"),
        ("ops", "vp", True, "vp"),
        ("dora", None, False, "security"),
        ("ops", " VP ", True, "vp"),
        ("alice", None, False, "operator"),
        ("alice", "manager", False, "manager"),
        ("bob", None, False, "vp"),
    ],
)
def test_the_role_that_speaks(principal: str, said: str | None, single: bool, role: str) -> None:
    asked = plan(approvals=(("security", "open to the internet"),)) if role == "security" else several()
    assert approving.role_speaking(asked, (), principal, ROLES, said, single) == role


@pytest.mark.parametrize("single", [True, False])
def test_a_plain_approval_of_the_requester_is_nobody_elses(single: bool) -> None:
    """Also where one operator holds every role: as which one they speak is theirs to say, each time."""
    open_port = plan(approvals=(("security", "open to the internet"),))
    with pytest.raises(RequestProblem):
        approving.role_speaking(open_port, (), "ops", {"ops": ("security",)}, None, single)


def test_a_requester_approves_what_the_policy_leaves_to_them() -> None:
    own = plan(approvals=(("operator", "always"), ("confirm db", "sensitive")))
    assert approving.role_speaking(own, (), "ops", {"ops": ("operator",)}, None, False) == "operator"
    assert approving.role_speaking(own, (), "ops", {"ops": ("operator",)}, "confirm db", False) == "confirm db"


@pytest.mark.parametrize(
    ("asked", "held", "may"),
    [
        (("operator",), ("operator",), True),
        (("vp",), ("vp",), True),
        (("vp",), ("operator",), True),
        (("operator",), ("viewer",), False),
        (("operator",), ("requester", "security"), False),
        (("vp",), (), False),
    ],
)
def test_a_part_is_confirmed_by_whoever_may_approve_the_plan(asked: tuple[str, ...], held: tuple[str, ...], may: bool) -> None:
    one = plan(approvals=(*((role, "r") for role in asked), ("confirm db-01", "production")))
    assert ("confirm db-01" in approving.may_give(one, (), "eve", held)) is may
    with nullcontext() if may else pytest.raises(RequestProblem, match="does not hold"):
        assert approving.role_speaking(one, (), "eve", {"eve": held}, "confirm db-01", False) == "confirm db-01"
    with nullcontext() if may else pytest.raises(RequestProblem, match="do not hold"):
        approving.assert_may_begin(one, (approval(one, asked[0]),), "eve", held)
    approving.assert_may_begin(one, (approval(one, asked[0]),), "ops", ())


@pytest.mark.parametrize(
    ("principal", "said", "single", "sentence"),
    [
        ("ops", None, False, "nobody approves what they asked for"),
        ("Ops", "vp", False, "nobody approves what they asked for"),
        ("ops", "ciso", True, "not as ciso"),
        ("bob", "manager", False, "does not hold the role manager"),
        ("mallory", None, False, "holds no role"),
    ],
)
def test_who_may_not_speak(principal: str, said: str | None, single: bool, sentence: str) -> None:
    with pytest.raises(RequestProblem, match=sentence):
        approving.role_speaking(several(), (), principal, ROLES, said, single)


def test_one_who_holds_several_missing_roles_says_which() -> None:
    given = (approval(several(), "operator"),)
    with pytest.raises(RequestProblem, match=r"approve [0-9a-f]{12} as manager or approve [0-9a-f]{12} as vp"):
        approving.role_speaking(several(), given, "carol", ROLES, None, False)


def test_a_single_operator_without_a_roles_file_is_no_manager() -> None:
    with pytest.raises(RequestProblem, match="does not hold the role manager"):
        approving.role_speaking(several(), (), "ops", {}, "manager", True)


@pytest.mark.parametrize(
    ("principal", "held", "roles"),
    [
        ("ops", None, ("operator", "manager", "vp")),
        ("ops", ("operator", "vp"), ()),
        ("bob", ("vp",), ("vp",)),
        ("alice", ("operator", "manager"), ("operator",)),
        ("eve", ("viewer",), ()),
    ],
)
def test_what_waits_for_whom(principal: str, held: tuple[str, ...] | None, roles: tuple[str, ...]) -> None:
    given = () if held is None else (approval(several(), "manager"),)
    assert approving.may_give(several(), given, principal, held) == roles


def signed(one: Plan, role: str, **more: Any) -> Any:
    return approving.signed(approval(one, role, **more), KEY)


def test_all_roles_together_hold() -> None:
    one = several()
    given = [signed(one, role) for role, _ in SEVERAL]
    approving.assert_holds(one, given, KEY, NOON)
    with pytest.raises(RequestProblem, match="Still to approve: vp"):
        approving.assert_holds(one, given[:2], KEY, NOON)


@pytest.mark.parametrize(
    "change",
    [
        {"plan_digest": "0" * 64},
        {"role": "vp"},
        {"principal": "mallory"},
        {"words": "approve something else"},
        {"at": NOON + timedelta(minutes=1)},
        {"expires_at": NOON + timedelta(days=365)},
        {"nonce": "another"},
        {"override_reason": "because I may"},
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": "\x80"},
        {"signature": "\ud800"},
    ],
)
def test_an_approval_changed_in_any_field_does_not_hold(change: dict[str, Any]) -> None:
    one = plan()
    with pytest.raises(RequestProblem, match="does not hold"):
        approving.assert_holds(one, [signed(one, "operator").model_copy(update=change)], KEY, NOON)


def test_an_approval_of_another_plan_or_by_another_key_does_not_hold() -> None:
    one, other = plan(), plan("run-2")
    with pytest.raises(RequestProblem, match="does not hold"):
        approving.assert_holds(other, [signed(one, "operator")], KEY, NOON)
    with pytest.raises(RequestProblem, match="does not hold"):
        approving.assert_holds(one, [signed(one, "operator")], b"x" * 32, NOON)


def test_an_approval_holds_as_long_as_it_says_and_no_longer() -> None:
    one = plan()
    given = signed(one, "operator")
    approving.assert_holds(one, [given], KEY, given.expires_at)
    with pytest.raises(RequestProblem, match="has expired"):
        approving.assert_holds(one, [given], KEY, given.expires_at + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("roles", "minutes", "holds"),
    [(1, 29, True), (1, 31, False), (2, 31, True), (3, 3 * 24 * 60 - 1, True), (3, 3 * 24 * 60 + 1, False)],
)
def test_how_long_a_plan_waits(roles: int, minutes: int, holds: bool) -> None:
    one = plan(expires_at=NOON + approving.window(roles))
    if holds:
        approving.assert_open(one, "open", NOON + timedelta(minutes=minutes))
    else:
        with pytest.raises(RequestProblem, match="has expired"):
            approving.assert_open(one, "open", NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(("status", "sentence"), [("used", "approved already"), ("void", "is void")])
def test_a_plan_that_is_not_open(status: str, sentence: str) -> None:
    with pytest.raises(RequestProblem, match=sentence):
        approving.assert_open(plan(), status, NOON)


def test_each_role_is_wanted_once_and_the_operator_where_no_other_is() -> None:
    assert [role for role, _ in approving.wanted_roles((("vp", "a"), ("vp", "b"), ("manager", "c")))] == ["vp", "manager"]
    assert [role for role, _ in approving.wanted_roles(())] == ["operator"]


@pytest.mark.parametrize("typed", ["", "abc", "0123456", "zzzzzzzz", "%" * 8, "0" * 65, "0123 4567", "ａｂｃｄｅｆ０１"])
def test_what_names_no_plan(typed: str) -> None:
    with pytest.raises(RequestProblem, match="at least the first 8 digits"):
        approving.digits(typed)


def test_digits_are_taken_as_typed() -> None:
    assert approving.digits("  ABCDEF01 ") == "abcdef01"
