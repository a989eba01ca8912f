"""The way back from a change, of all its parts or of one: what is led back, what goes, and what stays as it was attempted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.builders import manifest_of, part_named
from tools.rules.plans.returning import led_back, parts_begun, way_back
from tools.values.manifest import Part
from tools.values.trouble import RequestProblem

HERE = Path("effects")
DB, APP, MAIL = part_named("db", HERE), part_named("app", HERE, after=("db",)), part_named("mail_server", HERE)
BIG_DB = DB.model_copy(update={"because": "It is larger."})
ATTEMPTED = manifest_of(BIG_DB, APP, MAIL)


@pytest.mark.parametrize(
    ("called", "labels"),
    [
        ("mail_server", ("mail_server",)),
        ("Mail server", ("mail_server",)),
        ("mail_server-00", ("mail_server",)),
        ("db", ("db", "app")),
        ("app-00", ("app",)),
    ],
)
def test_a_part_is_led_back_with_those_that_need_it(called: str, labels: tuple[str, ...]) -> None:
    assert led_back(ATTEMPTED, called) == labels


def test_what_is_no_part_is_told_with_the_parts_that_there_are() -> None:
    with pytest.raises(RequestProblem, match="db, app, mail_server"):
        led_back(ATTEMPTED, "redis")


@pytest.mark.parametrize(
    ("before", "labels", "gone", "untouched", "parts", "going"),
    [
        ((), "mail_server", "", "", (BIG_DB, APP), "mail_server"),
        ((), "db app", "", "", (MAIL,), "db app"),
        ((), "app", "mail_server", "", (BIG_DB,), "app"),
        ((), "app", "mail_server", "mail_server", (BIG_DB,), "app"),
        ((DB, APP), "", "", "", (DB, APP), "mail_server"),
        ((DB, APP), "db app", "", "", (DB, APP, MAIL), ""),
        ((DB, APP), "db app", "mail_server", "mail_server", (DB, APP), ""),
        ((DB, APP), "mail_server", "", "", (BIG_DB, APP), "mail_server"),
        ((DB, APP), "mail_server", "", "db", (DB, APP), "mail_server"),
        ((DB, APP), "", "mail_server", "db", (DB, APP), "mail_server"),
        ((DB,), "app", "", "", (BIG_DB, MAIL), "app"),
    ],
)
def test_what_is_led_back(before: tuple[Part, ...], labels: str, gone: str, untouched: str, parts: tuple[Part, ...], going: str) -> None:
    """No labels: all of it. Of the others, what is gone is not made again, and what was not begun is what it was."""
    back = way_back(manifest_of(*before), ATTEMPTED, None, labels.split(), gone.split(), untouched.split())
    assert back.parts == parts
    assert [part.label for part in back.taken_back] == going.split()
    assert back.parent_digest == ATTEMPTED.digest


def test_which_parts_a_plan_was_begun_for() -> None:
    records = [
        {"action": "begun", "plan": "p2"},
        {"action": "applying", "plan": "p1", "part": "db"},
        {"action": "applying", "plan": "p2", "part": "app"},
        {"action": "applied", "plan": "p2", "part": "mail_server"},
    ]
    assert parts_begun(records, "p2") == {"app"}


def test_what_goes_is_let_go_of_first_by_what_needed_it_and_stays() -> None:
    needing = MAIL.model_copy(update={"after": ("app",)})
    back = way_back(manifest_of(DB, MAIL), manifest_of(DB, APP, needing), None)
    assert [(part.label, part.let_go_by) for part in back.taken_back] == [("app", ("mail_server",))]
