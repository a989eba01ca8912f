"""What an operator reads has the units and the words that people use: no names of fields, no bytes, no identifiers of checks."""

from __future__ import annotations

import re

import pytest
from clusters import four_nodes
from machine_chain import POSTGRESQL, VM, WEB, reviewed
from test_cards import REDIS, manifest_of, plan_of

from tools.capabilities import catalogue
from tools.rules.words import telling
from tools.rules.words.rendering import called, draw, labels, own_labels
from tools.values.requirements import Missing, Needs, Requirements

ASKS = [("virtual_machine", VM), ("postgresql", POSTGRESQL), ("web_server", WEB), ("redis", REDIS)]
UNSAYABLE = re.compile(r"\b[a-z]+_[a-z_]+\b|\bbytes\b|\b(?:mib|gib|vcpus|cpu count)\b|\b\d{1,3},\d{3} MiB\b|\b\d{4,} (?:MiB|GiB|GB)\b")


def texts_of(capability: str, said: dict[str, str]) -> list[str]:
    manifest = manifest_of((capability, said))
    plan, review = plan_of(manifest), reviewed(manifest)
    needed = Requirements(requester="ops", parts=tuple(part.needs for part in manifest.parts))
    told = [
        telling.requirements(needed, ("something",)),
        telling.plan(plan, manifest, review),
        telling.details(plan, manifest, review),
        telling.why(manifest, None),
        telling.resources(manifest),
        telling.snapshot(four_nodes()),
        telling.review(review),
    ]
    return [draw(one) for one in told]


@pytest.mark.parametrize(("capability", "said"), ASKS)
def test_no_text_has_a_field_or_a_unit_that_nobody_says(capability: str, said: dict[str, str]) -> None:
    found = [(text, one) for text in texts_of(capability, said) for one in UNSAYABLE.findall(re.sub(r"`[^`]*`|\[[^\]]*\]", "", text))]
    assert found == []


def test_every_fact_and_every_field_of_ours_has_a_name_that_people_say() -> None:
    names = {(wanted.name, capability.NAME) for capability in catalogue().values() for wanted in capability.WANTED}
    names |= {(name, "") for name in labels()["field"]}
    names |= {(name, capability) for capability in catalogue() for name in own_labels(capability)}
    for name, capability in names:
        assert not re.search(r"_|\b(?:mib|gib|gb|count)\b", called(name, capability)), name


def test_every_question_is_a_sentence_without_a_field() -> None:
    for capability in catalogue().values():
        for wanted in capability.WANTED:
            if wanted.question:
                missing = Missing(name=wanted.name, question=wanted.question, suggestions=wanted.suggestions)
                needs = Needs(capability=capability.NAME, label="x", platform=next(iter(capability.ON)), missing=(missing,))
                text = draw(telling.questions(Requirements(requester="me", parts=(needs,)), ()))
                assert wanted.question in text and not UNSAYABLE.search(re.sub(r"`[^`]*`", "", text))
