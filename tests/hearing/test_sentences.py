"""Messages and what is heard in them, by the table `sentences.yaml`: nothing is heard that was not said, and what is left over is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hearing.facts import heard, plain, said
from tools.capabilities import catalogue
from tools.rules.hearing.edits.unused import PHRASE_LENGTH_MAX, PHRASES_MAX
from tools.rules.hearing.proving import prove
from tools.values.request import Request

TABLE = yaml.load((Path(__file__).parent / "sentences.yaml").read_text(), yaml.BaseLoader)


def left_of(text: str) -> list[str]:
    return list(heard(text).unused)


@pytest.mark.parametrize(("words", "expected"), TABLE.items())
def test_what_is_heard(words: str, expected: dict[str, dict[str, str]]) -> None:
    texts, facts = words.split(" // "), {name: value for name, value in expected.items() if name != "left"}
    assert plain(said(*texts)) == facts
    first = heard(texts[0])
    assert prove(first, texts[:1], Request(), catalogue())[1] == (), "all of it was typed"
    if "left" in expected:
        assert left_of(words) == expected["left"]


@pytest.mark.parametrize(("name", "example"), [(c.NAME, example) for c in catalogue().values() for example in c.EXAMPLES])
def test_every_capability_is_heard_in_its_own_examples_to_the_last_word(name: str, example: str) -> None:
    assert [item.capability for item in said(example).items] == [name]
    assert left_of(example) == []


@settings(max_examples=40)
@given(st.text(max_size=300))
def test_what_is_left_over_is_never_much(text: str) -> None:
    found = left_of(f"a postgres for 100 users {text}")
    assert len(found) <= PHRASES_MAX
    assert all(len(phrase) <= PHRASE_LENGTH_MAX + 2 for phrase in found)
