"""What Berth hears in the cases of tests/hearing/cases, field by field and turn by turn, against floors.

The cases were written from how people write requests, without a look at the reader. One that fails says something about the reader; it is
changed only where no careful person would agree with it. `python -m tests.hearing.score` prints the same figures by file.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import pytest

from tests.hearing.heard import hear_each, hear_json
from tests.hearing.score import CASES, HELD_OUT, WISHES, messages, read_cases, score, score_turn, spoken, turns
from tools.capabilities import catalogue

FIELDS_RIGHT_MIN = 0.98
"""Of all that are told apart from the held-out ones."""
HELD_OUT_RIGHT_MIN = 0.97
UNSEEN_RIGHT_MIN = 0.96
FIELDS_INVENTED_MAX = 1
FIELDS_DROPPED_MAX = 3
"""Of some 13,000 fields. What is aimed at is none of either; these are what is left, so that it may only become less."""
HELD_OUT_INVENTED_MAX = 2
HELD_OUT_DROPPED_MAX = 1
TURNS_RIGHT_MIN = 0.97
TALKS_RIGHT_MIN = 0.89
TURNS_DANGEROUS_MAX = 0

INTENTS = {"edit", "question", "undo", "redo", "approve", "cancel", "help", "list", "remove", "show", "status", "nod", "take", "leave"}
FILES = sorted(CASES.glob("*.jsonl"))
SINGLE = [case for path in FILES for case in read_cases(path) if "turns" not in case]
WHOLE = [dialogue for path in FILES for dialogue in read_cases(path) if "turns" in dialogue]
SPOKEN = [turn for dialogue in WHOLE for turn in turns(dialogue)]
TALKS = [dialogue for dialogue in WHOLE if dialogue["kind"].startswith("talks: ")]
"""With small talk, corrections and assent in other words: the hardest ones, apart."""
DIALOGUES = [dialogue for dialogue in WHOLE if dialogue not in TALKS]
UNITS = {"cpu_count": int, "memory_mib": int, "vlan": int, "users": int}


def test_every_case_says_what_it_expects_in_the_words_of_all_cases() -> None:
    services = {*catalogue(), None}
    for case in [*SINGLE, *SPOKEN]:
        expect, text = case["expect"], case["text"]
        assert set(expect) <= {"items", "shared", "wishes", "asks_about", "must_not_hold", "may", "intent"}, text
        assert set(expect["wishes"]) <= WISHES, text
        assert expect.get("intent", "edit") in INTENTS, text
        for item in expect["items"]:
            typed = {name: value for name, value in item.get("facts", {}).items() if not isinstance(value, dict)}
            assert set(item) <= {"service", "count", "names", "facts", "relations", "application", "platform"}, text
            assert item.get("service") in services, text
            assert all(isinstance(value, UNITS.get(name, object)) for name, value in typed.items()), text


def test_no_two_cases_are_the_same() -> None:
    seen = Counter("\n".join(messages(case)) for case in SINGLE)
    assert [text for text, times in seen.items() if times > 1] == []


def test_whoever_hears_exactly_what_a_case_expects_is_right_in_every_field() -> None:
    for case in [*SINGLE, *SPOKEN]:
        expect = case["expect"]
        perfect = {
            **{"items": [item | {"facts": any_of(item.get("facts", {}))} for item in expect["items"]], "shared": any_of(expect["shared"])},
            **{"wishes": [{"kind": kind} for kind in expect["wishes"]], "questions": [{"about": name} for name in expect["asks_about"]]},
            "commands": [expect["intent"]] if "intent" in expect else [],
        }
        assert [field for field in score(case, perfect) if field[1] != "right"] == [], case["text"]
        assert score_turn(case, perfect) == "right", case["text"]


def any_of(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value["any"][0] if isinstance(value, dict) else value for name, value in facts.items()}


@functools.cache
def heard(held_out: bool) -> Counter[str]:
    """The fields of the cases by their verdict."""
    return Counter(
        verdict
        for path in FILES
        if (path == HELD_OUT) is held_out
        for case in read_cases(path)
        if "turns" not in case
        for _, verdict in score(case, hear_json(messages(case)))
    )


@pytest.mark.parametrize("held_out", [False, True])
def test_the_fields_of_the_cases_are_heard(held_out: bool) -> None:
    fields = heard(held_out)
    assert fields["right"] / (fields.total() - fields["invented"]) >= (HELD_OUT_RIGHT_MIN if held_out else FIELDS_RIGHT_MIN)


def test_requests_that_the_reader_was_not_worked_on_with_are_heard_as_well() -> None:
    fields = Counter(verdict for case in read_cases(CASES / "unseen.jsonl") for _, verdict in score(case, hear_json(messages(case))))
    assert fields["right"] / (fields.total() - fields["invented"]) >= UNSEEN_RIGHT_MIN


@pytest.mark.parametrize("held_out", [False, True])
def test_nothing_is_invented_and_nothing_is_dropped_without_a_word(held_out: bool) -> None:
    fields = heard(held_out)
    assert fields["invented"] <= (HELD_OUT_INVENTED_MAX if held_out else FIELDS_INVENTED_MAX)
    assert fields["dropped"] <= (HELD_OUT_DROPPED_MAX if held_out else FIELDS_DROPPED_MAX)


@pytest.mark.parametrize(("said_in", "right_min"), [(DIALOGUES, TURNS_RIGHT_MIN), (TALKS, TALKS_RIGHT_MIN)], ids=["dialogues", "talks"])
def test_the_turns_of_the_dialogues_are_understood(said_in: list[dict[str, Any]], right_min: float) -> None:
    verdicts = Counter(score_turn(turn, heard) for dialogue in said_in for turn, heard in spoken(dialogue, hear_each))
    assert verdicts["right"] / verdicts.total() >= right_min
    assert verdicts["dangerous"] <= TURNS_DANGEROUS_MAX
