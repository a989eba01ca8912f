"""Edits of a request, by a table and by every edit that Hypothesis thinks of: none breaks a request, and none holds back another."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.capabilities import catalogue
from tools.rules.hearing.words.counting import names_of
from tools.rules.request import goals
from tools.rules.request.draft import ITEMS_MAX, next_label
from tools.rules.request.editing import apply, facts_of, lead_back
from tools.values.request import Edit, Edits, Item, RelationKind, Request
from tools.values.value import canonical


def edits(*several: str) -> Edits:
    """`set web_server cpu_count 4`: do, item (`.` for all), name, value; each with its own words as its quote."""
    read = []
    for words in several:
        do, item, name, *value = [*words.split(maxsplit=3), "", ""][:4]
        read.append(Edit.model_validate({"do": do, "item": item.strip("."), "name": name, "value": "".join(value), "quote": words}))
    return Edits(edits=tuple(read))


def made(*several: str, before: Request | None = None, **more: Any) -> tuple[Request, list[str]]:
    """The request, and what was refused, by its words."""
    request, refused = apply(before or Request(), edits(*several), catalogue(), **more)
    return request, [edit.quote for edit, _ in refused]


def plain(request: Request) -> dict[str, dict[str, str]]:
    return {item.label: {fact.name: fact.value for fact in item.facts} for item in request.items}


LAKE = ("add lake storage_account", "set lake containers raw, curated")


@pytest.mark.parametrize(
    ("several", "containers", "refused"),
    [
        (("include lake containers gold",), "raw, curated, gold", []),
        (("include lake containers raw, gold",), "curated, raw, gold", []),
        (("exclude lake containers raw",), "curated", []),
        (("exclude lake containers gold",), "raw, curated", ["exclude lake containers gold"]),
        (("exclude lake containers raw, curated",), "raw, curated", ["exclude lake containers raw, curated"]),
        (("unset lake containers", "include lake containers gold", "include lake containers silver"), "also gold, silver", []),
        (("include lake redundancy zrs",), "raw, curated", ["include lake redundancy zrs"]),
    ],
)
def test_a_list_is_added_to_and_taken_from(several: tuple[str, ...], containers: str, refused: list[str]) -> None:
    request, left = made(*LAKE, *several)
    assert (plain(request)["lake"]["containers"], left) == (containers, refused)


TWO = ("add web web_server", "set web name app-01", "set web memory 4 GB", "add db postgresql", "set . environment production")


@pytest.mark.parametrize(
    ("several", "expected", "refused"),
    [
        ((), {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}}, []),
        (("set web memory 8 GB", "set web cpu_count 2"), {"web": {"name": "app-01", "memory": "8 GB", "cpu_count": "2"}, "db": {}}, []),
        (("unset web memory",), {"web": {"name": "app-01"}, "db": {}}, []),
        (("unset web environment",), {"web": {"name": "app-01", "memory": "4 GB"}, "db": {"environment": "production"}}, []),
        (("unset web cpu_count",), {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}}, ["unset web cpu_count"]),
        (("remove web",), {"db": {}}, []),
        (("remove app-01",), {"db": {}}, []),
        (("remove the-intranet",), {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}}, ["remove the-intranet"]),
        (
            ("copy app-01", "set web-2 memory 16 GB"),
            {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}, "web-2": {"name": "app-02", "memory": "16 GB"}},
            [],
        ),
        (
            ("copy web other", "copy web other"),
            {
                "web": {"name": "app-01", "memory": "4 GB"},
                "db": {},
                "other": {"name": "app-02", "memory": "4 GB"},
                "other-2": {"name": "app-03", "memory": "4 GB"},
            },
            [],
        ),
        (("rename web Front-End", "set front-end memory 1 GB"), {"front-end": {"name": "app-01", "memory": "1 GB"}, "db": {}}, []),
        (("rename web db",), {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}}, ["rename web db"]),
        (
            ("add web web_server", "set web memory 2 GB"),
            {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}, "web-2": {"memory": "2 GB"}},
            [],
        ),
        (
            ("set db tls yes", "add x pony", "set x memory 1 GB", "set db memory 8 GB"),
            {"web": {"name": "app-01", "memory": "4 GB"}, "db": {"memory": "8 GB"}},
            ["set db tls yes", "add x pony", "set x memory 1 GB"],
        ),
        (("set db memory",), {"web": {"name": "app-01", "memory": "4 GB"}, "db": {}}, ["set db memory"]),
    ],
)
def test_an_edit(several: tuple[str, ...], expected: dict[str, dict[str, str]], refused: list[str]) -> None:
    request, not_made = made(*several, before=made(*TWO)[0])
    assert (plain(request), not_made) == (expected, refused)


def test_what_is_said_once_is_meant_for_every_item_that_wants_it_and_says_none_of_its_own() -> None:
    request, _ = made(*TWO, "add files storage_account", "set db environment staging", "set . memory 2 GB", "set . engine MySQL")
    told = {item.label: {fact.name: fact.value for fact in facts_of(item, request, catalogue())} for item in request.items}
    assert told["web"] == {"name": "app-01", "memory": "4 GB", "environment": "production"}
    assert told["db"] == {"environment": "staging", "memory": "2 GB", "engine": "MySQL"}
    assert told["files"] == {"environment": "production"}


def test_what_refers_to_an_item_follows_its_name_and_goes_with_it() -> None:
    said = ("relate web behind db", "relate db apart", "relate db near pve-run", "wish db backup nightly backup", "wish . other a pony")
    request, refused = made(*TWO, *said, "rename db store")
    assert refused == []
    assert [(one.kind, one.to) for item in request.items for one in item.relations] == [
        ("behind", "store"),
        ("apart", ""),
        ("near", "pve-run"),
    ]
    assert [(wish.item, wish.kind) for wish in request.wishes] == [("store", "backup"), ("", "other")]
    left, refused = made("remove store", "unwish . other", "relate web under web", "relate web near web", before=request)
    assert (left.items[0].relations, left.wishes) == ((), ())
    assert refused == ["relate web under web", "relate web near web"]


def test_what_runs_may_be_copied_and_is_taken_away_by_no_edit() -> None:
    running = {"shop-01": made("add shop web_server", "set shop name shop-01", "set shop count 3", "set shop memory 2 GB")[0].items[0]}
    request, refused = made("copy shop-01", "remove shop-01", running=running)
    assert (plain(request), refused) == ({"shop": {"name": "shop-04", "count": "3", "memory": "2 GB"}}, ["remove shop-01"])
    request, refused = made("remove web", "remove db", before=made(*TWO)[0], built={"web": {"": ("web-01",)}})
    assert (list(plain(request)), refused) == (["web"], ["remove web"])


BUILT = {"web": {"": ("web-01", "web-02", "web-03")}, "db": {"": ("db-01",)}, "k": {"servers": ("s-1",), "workers": ("w-1", "w-2")}}


@pytest.mark.parametrize(
    ("item", "quote", "left"),
    [
        ("web", "remove the web servers", {"db": {}, "k": {"workers_count": "2"}}),
        ("db", "drop the database", {"web": {"count": "3"}, "k": {"workers_count": "2"}}),
        ("db-01", "remove db-01", {"web": {"count": "3"}, "k": {"workers_count": "2"}}),
        ("web-02", "remove web-02", {"web": {"count": "2", "name": "web-01, web-03"}, "db": {}, "k": {"workers_count": "2"}}),
        ("w-2", "remove w-2", {"web": {"count": "3"}, "db": {}, "k": {"workers_count": "1"}}),
        ("w-1", "remove w-1", None),
        ("web", "remove the web server", None),
        ("s-1", "remove s-1", None),
        ("web", "only the database", None),
        ("web", "start over", None),
        ("web-09", "remove web-09", None),
    ],
)
def test_what_runs_is_taken_away_where_it_is_named(item: str, quote: str, left: dict[str, dict[str, str]] | None) -> None:
    """None: it is refused, and all of it stays."""
    before, _ = made("add web web_server", "set web count 3", "add db postgresql", "add k k3s_cluster", "set k workers_count 2")
    edit = Edits(edits=(Edit(do="remove", item=item, quote=quote),))
    request, refused = apply(before, edit, catalogue(), built=BUILT)
    assert plain(request) == (plain(before) if left is None else left)
    assert len(refused) == (left is None)


def test_not_all_that_runs_is_taken_away_by_edits() -> None:
    before, _ = made("add web web_server", "add db postgresql", "relate web uses db")
    both, refused = made("remove web", "remove db", before=before, built={"web": {}, "db": {}})
    assert both == before and refused
    one, refused = made("remove db", before=before, built={"web": {}, "db": {}})
    assert (list(plain(one)), one.items[0].relations, refused) == (["web"], (), [])


def test_a_part_that_is_led_back_is_what_it_was_or_is_gone() -> None:
    built, _ = made("add web web_server", "add db postgresql", "set db memory 4 GB")
    asked, _ = made("set db memory 8 GB", "set web memory 2 GB", "add cache redis", "relate web uses cache", before=built)
    assert plain(lead_back(asked, built, ["db"])) == {"web": {"memory": "2 GB"}, "db": {"memory": "4 GB"}, "cache": {}}
    gone = lead_back(asked, built, ["cache"])
    assert (list(plain(gone)), gone.items[0].relations) == (["web", "db"], ())


def test_one_of_several_that_run_is_not_set_apart_and_the_others_stay_as_many() -> None:
    three, _ = made("add api virtual_machine", "set api count 3", "set api name api-1, api-2, api-3")
    apart = goals.hear("api-2 needs 8 GB", three, catalogue(), (), date(2026, 11, 29))
    free, refused = apply(three, apart, catalogue())
    assert not refused and [item.fact("count") and len(names_of(item)) for item in free.items] == [2, None]
    kept, refused = apply(three, apart, catalogue(), built={"api": {"": ("api-1", "api-2", "api-3")}})
    assert kept == three and len(refused) == 1


def test_a_copy_of_several_names_goes_on_after_the_last() -> None:
    request, _ = made("add app web_server", "set app name app-01, app-02", "copy app-02")
    assert plain(request)["app-2"]["name"] == "app-03"


def test_saying_the_same_again_changes_nothing() -> None:
    before, _ = made(*TWO)
    again, _ = made("set web memory 4 GB", "set . environment production", before=before)
    assert again == before


def test_a_request_is_bounded() -> None:
    request, refused = made(*["add vm virtual_machine"] * (ITEMS_MAX + 3))
    assert (len(request.items), len(refused), len(set(plain(request)))) == (ITEMS_MAX, 3, ITEMS_MAX)


@pytest.mark.parametrize(
    ("label", "taken", "expected"),
    [
        ("web_server", (), "web_server"),
        ("web_server", ("web_server",), "web_server-2"),
        ("web_server", ("web_server", "web_server-2"), "web_server-3"),
        ("app-01", ("app-01",), "app-02"),
        ("db1", ("db1", "db2"), "db3"),
        ("2", ("2",), "2-2"),
    ],
)
def test_the_next_free_label(label: str, taken: tuple[str, ...], expected: str) -> None:
    assert next_label(label, taken) == expected


NAMES = st.sampled_from(["", "web", "db", "app-01", "vm", "vm-2", "Web Server!", "ğ/../", "x" * 60])
FACTS = st.sampled_from(["memory", "environment", "count", "name", "nonsense", *catalogue(), *get_args(RelationKind), "app-01"])
VALUES = st.sampled_from(["", "4 GB", "production", "app-01", "9" * 30, "-1", "db", "web"])
ANY_EDIT = st.builds(
    Edit, do=st.sampled_from(get_args(Edit.model_fields["do"].annotation)), item=NAMES, name=FACTS, value=VALUES, quote=st.just("q")
)


@given(st.lists(ANY_EDIT, max_size=12))
def test_whatever_is_edited_a_request_stays_one(several: list[Edit]) -> None:
    before, _ = made(*TWO)
    kept = canonical(before.said())
    request, refused = apply(before, Edits(edits=tuple(several)), catalogue(), {"vm": Item(capability="virtual_machine", label="vm")})
    assert canonical(before.said()) == kept, "a request is a value, so what was there before can be taken up again"
    labels = [item.label for item in request.items]
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch("[a-z0-9_-]{1,50}", item.label) and item.capability in catalogue() for item in request.items)
    assert all(len({fact.name for fact in item.facts}) == len(item.facts) for item in request.items)
    assert {wish.item for wish in request.wishes} <= {"", *labels}
    assert all(reason.endswith((".", "?")) for _, reason in refused)
    assert Request.model_validate_json(request.model_dump_json()) == request


def test_what_is_like_another_has_whatever_it_does_not_state_itself() -> None:
    running = {"shop-01": made("add shop web_server", "set shop name shop-01", "set shop memory 2 GB", "set shop cpu_count 2")[0].items[0]}
    like = ("add x virtual_machine", "set x memory 16 GB", "relate x like shop-01", "set x disk 40 GB")
    request, refused = made(*like, running=running)
    assert refused == []
    assert plain(request) == {"x": {"memory": "16 GB", "name": "shop-02", "cpu_count": "2", "disk": "40 GB"}}
    request, refused = made(*like)
    assert (plain(request), refused) == ({"x": {"memory": "16 GB", "disk": "40 GB"}}, ["relate x like shop-01"])
