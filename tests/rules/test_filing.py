"""A request as a file: it comes back as it went, whoever wrote it; and what cannot be read is told by its line."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.hearing.facts import plain, said
from tools.capabilities import catalogue
from tools.rules.request.editing import apply
from tools.rules.request.filing import as_yaml, document, read_file
from tools.values.request import Edit, Edits, Request
from tools.values.trouble import RequestProblem

WRITTEN = """
items:
- label: db
  service: postgresql
  facts: {users: 100, memory: 8 GB}
- service: web_server
  count: 2
  facts:
    name: [app-01, app-02]
  relations:
  - behind: db   # the same rack
  - apart:
shared:
  environment: production
  network: 020
wishes:
- {kind: backup, text: nightly backups, item: db}
"""


def made(text: str) -> Request:
    request, refused = apply(Request(), read_file(text), catalogue())
    assert refused == ()
    return request


def test_a_file_says_items_what_is_shared_and_wishes_and_its_lines_are_the_quotes() -> None:
    request = made(WRITTEN)
    common = {"environment": "production", "network": "020"}
    assert plain(request) == {
        "db": {"users": "100", "memory": "8 GB"} | common,
        "web_server": {"count": "2", "name": "app-01, app-02"} | common,
    }
    assert [(one.kind, one.to) for one in request.items[1].relations] == [("behind", "db"), ("apart", "")]
    assert [(wish.item, wish.kind, wish.text) for wish in request.wishes] == [("db", "backup", "nightly backups")]
    assert [fact.quote for fact in request.shared] == ["environment: production", "network: 020"]
    assert request.items[0].facts[0].quote == "facts: {users: 100, memory: 8 GB}"


@pytest.mark.parametrize("example", [example for one in catalogue().values() for example in one.EXAMPLES])
def test_what_was_said_comes_back_as_it_went(example: str) -> None:
    request = said(example)
    again = made(as_yaml(request))
    assert document(again) == document(request) and plain(again) == plain(request)
    assert made(as_yaml(again)) == again, "a file of a file is the same, to the quotes"
    assert document(made(json.dumps(document(request)))) == document(request), "JSON is YAML"


VALUES = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() == text and text.isprintable())


@given(VALUES, VALUES, VALUES)
def test_any_value_comes_back_as_it_went(name: str, network: str, wish: str) -> None:
    add = Edit(do="add", item="x", name="web_server", quote="q")
    facts = (Edit(do="set", item="x", name="name", value=name, quote="q"), Edit(do="set", name="network", value=network, quote="q"))
    request, _ = apply(Request(), Edits(edits=(add, *facts, Edit(do="wish", name="other", value=wish, quote="q"))), catalogue())
    assert document(made(as_yaml(request))) == document(request)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("items: [", ["line 1"]),
        ("items: 7", ["Line 1"]),
        ("- a", ["Line 1"]),
        ("items:\n- service: web_server\n  colour: red", ["Line 3"]),
        ("items:\n- label: x", ["Line 2"]),
        ("items:\n- {label: x, service: redis}\n- {label: x, service: redis}", ["Line 3"]),
        ("items:\n- service: redis\n  facts:\n    memory: {a: 1}\nshared: [x]", ["Line 4", "Line 5"]),
        ("items: &a [*a]", ["Line 1"]),
        ("x: 1\0", ["cannot be read"]),
        ("[" * 200_000, ["Line 1", "levels"]),
        ("#" * 300_000, ["KiB"]),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line(text: str, lines: list[str]) -> None:
    with pytest.raises(RequestProblem) as told:
        read_file(text)
    assert all(line in str(told.value) for line in lines) and told.value.remedy


PLAIN = st.one_of(st.text(max_size=8), st.integers(), st.none())
ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(ANYTHING)
def test_any_yaml_is_taken_or_refused_in_a_sentence(document: object) -> None:
    try:
        apply(Request(), read_file(yaml.safe_dump(document)), catalogue())
    except RequestProblem as told:
        assert told.detail


def test_a_short_file_stands_for_no_request_without_end() -> None:
    again = "\n".join(["items:", "- &a {service: web_server, facts: {memory: 4 GB}}", *["- *a"] * 20_000])
    with pytest.raises(RequestProblem, match=r"Line 3: \*a stands for"):
        read_file(again)
    with pytest.raises(RequestProblem, match="100 items at most"):
        read_file("items:\n" + "- {service: x}\n" * 10_000)
