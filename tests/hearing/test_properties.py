"""What must hold of any message: no number is heard that was not said, the order of sentences and small talk change nothing, every quote
was typed, anything is read in time, and whatever a model returns, nothing that was not typed gets through."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.hearing.facts import heard, plain, said
from tests.hearing.score import CASES, read_cases
from tools.capabilities import catalogue
from tools.rules.hearing.proving import prove
from tools.rules.hearing.tokens import quantities
from tools.values.request import Edit, Edits, Request

CASE_TEXTS = sorted({case["text"] for path in CASES.glob("*.jsonl") for case in read_cases(path) if "text" in case})
THINGS = ("a postgres database", "a web server", "a redis cache", "a vm with 4 cores")
SENTENCES = (
    "It is for production.",
    "Put it on network 20.",
    "It must have 8 GB of memory.",
    "The system disk is 40 GB.",
    "Call it kestrel-01.",
    "We need it by 2027-02-15.",
    "It runs Debian 12.",
)
SMALL_TALK = ("Thanks a lot!", "Hello everyone.", "Have a nice day.", "Hope you are well.", "Cheers!")
SAID = "a the no not 8 GB cores for 100 users on network 20 two web servers postgres and , . : | - # called app-{1,2} x ( )"
WORDS = st.sampled_from([*SAID.split(), "\n"])
ANYTHING = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=60).map(" ".join), st.sampled_from(CASE_TEXTS))
SECONDS_MAX = 2.0


def numbers(text: str) -> set[float]:
    """Those of a text, in digits and in words; sizes in bytes."""
    digits = {float(digits) for digits in re.findall(r"\d+(?:\.\d+)?", text)}
    return digits | {number.value for number in quantities.numbers(text)} | {float(size.size_bytes) for size in quantities.sizes(text)}


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(CASE_TEXTS))
def test_no_number_is_heard_that_was_not_said(text: str) -> None:
    """Nor one that is made of two that were, or of so many names and lines: `50 users with 20 connections each`, rows of a table."""
    typed = numbers(text) | {1.0, *map(float, range(1, 2 + len(text.split())))}
    made = typed | {one * other for one, other in product(typed, typed)} | {one + other for one, other in product(typed, typed)}
    kinds = {wanted.name: wanted.kind for capability in catalogue().values() for wanted in capability.WANTED}
    for edit in heard(text).edits:
        if edit.do == "set" and kinds.get(edit.name) in ("count", "memory", "disk", "volume"):
            number = quantities.size_bytes(edit.value) or quantities.count(edit.value) or 1
            in_units = {number / unit for unit in (1, 2**20, 2**30, 2**40)}  # bare, or in a unit of another language
            assert in_units & made, (edit, text)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(("please approve {}", "do not approve {}", "approve {} and go on")),
    st.text("0123456789abcdef", min_size=12, max_size=12),
)
@example("please approve {}", "85c3c4855fcc")
@example("approve {}", "85c3c48")
def test_the_digits_of_a_plan_are_no_size(words: str, digits: str) -> None:
    assume(not digits.isdigit())
    found = [edit for edit in heard(words.format(digits)).edits if edit.do == "set"]
    assert not found, digits


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(THINGS),
    st.lists(st.sampled_from(SENTENCES), unique=True, min_size=1),
    st.randoms(),
    st.lists(st.sampled_from(SMALL_TALK), max_size=3),
)
def test_another_order_of_sentences_and_small_talk_change_nothing(
    thing: str, sentences: list[str], chance: object, talk: list[str]
) -> None:
    first = f"We need {thing}."
    shuffled = [*sentences, *talk]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plain(said(" ".join([first, *shuffled]))) == plain(said(" ".join([first, *sentences])))


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_any_text_is_read_in_time_and_every_quote_was_typed(text: str) -> None:
    began = time.process_time()
    edits = heard(text)
    assert time.process_time() - began < SECONDS_MAX
    assert all(edit.quote in text for edit in edits.edits)
    assert all(doubt.quote in text for doubt in edits.doubts)


NAMES = sorted({wanted.name for capability in catalogue().values() for wanted in capability.WANTED})
EDITS = st.builds(
    Edit,
    do=st.sampled_from(["add", "set", "unset", "include", "exclude", "remove", "copy", "rename", "relate", "wish", "unwish"]),
    item=st.sampled_from(["", "postgresql", "web_server", "db"]),
    name=st.sampled_from([*NAMES, *catalogue(), "backup"]),
    value=st.sampled_from(["64 GB", "17", "production", "malachite", "yes", "443"]),
    quote=st.sampled_from(["64 GB", "17 cores", "live", "malachite", "", "a firewall", "443"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(EDITS, max_size=8))
def test_whatever_a_model_returns_nothing_that_was_not_typed_gets_through(edits: list[Edit]) -> None:
    text = "a postgres database for 100 users on network 20"
    kept, dropped = prove(Edits(edits=tuple(edits)), [text], Request(), catalogue())
    assert all(edit.quote and edit.quote in text for edit in kept.edits if edit.do != "add")
    assert {*kept.edits, *dropped} == set(edits)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "😀" * 50, "مرحبا أريد خادما", "x" * 20_000])
def test_text_without_a_request_asks_for_nothing(text: str) -> None:
    assert not [edit for edit in heard(text).edits if edit.do == "add"]
