"""What a model is shown: little, however much there is to be asked for; and that what it makes of unnamed things is held to words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import pytest

from agents.provisioner.chat_validator import listener
from agents.provisioner.models import tokens
from agents.provisioner.stage import prompt, rendered
from tools.capabilities import catalogue
from tools.rules.hearing.proving import prove
from tools.rules.request import goals
from tools.values.conversation import Conversation
from tools.values.request import Edit, Edits, Request

TOKENS_MAX = 4_000
SERVICES = 300
LARGEST = 4
"""Those with most facts make the longest prompts."""
SHOP = "We sell lamps and need somewhere to keep orders that survives a power cut, for 40 people, production, network 20"


@pytest.fixture
def many() -> Iterator[None]:
    """As many services as a large company has, each with the facts of one of ours."""
    able = catalogue()
    ours = list(able.values())
    for number in range(SERVICES - len(able)):
        one, name = ours[number % len(ours)], f"service_{number:03d}_of_team"
        made = {"NAME": name, "TITLE": f"Service {number:03d} of a team", "WORDS": (f"thing{number:03d}",)}
        able[name] = SimpleNamespace(**{**vars(one), **made})  # type: ignore[assignment]
    yield
    for name in [name for name in able if name.startswith("service_")]:
        del able[name]


def by_rule(text: str) -> Edits:
    return goals.hear(text, Request(), dict(catalogue()), (), date(2026, 11, 29), None)


def asked(text: str) -> int:
    facts = listener.facts_of(Conversation(), text, by_rule(text))
    return tokens(rendered(prompt(listener.__package__), facts) + text + json.dumps(listener._SCHEMA))


def test_a_prompt_stays_small_at_three_hundred_services(many: None) -> None:
    assert len(catalogue()) == SERVICES
    ours = {name: able for name, able in catalogue().items() if not name.startswith("service_")}
    largest = sorted(ours, key=lambda name: len(ours[name].WANTED))[-LARGEST:]
    sizes = {name: asked(ours[name].EXAMPLES[0]) for name in largest}
    assert max(sizes.values()) < TOKENS_MAX, sizes
    assert asked(SHOP) < TOKENS_MAX


def test_facts_are_shown_of_what_is_spoken_of_and_of_the_others_once_they_are_added() -> None:
    facts = listener.facts_of(Conversation(), "a redis with 2 GB of data", by_rule("a redis with 2 GB of data"))
    shown = {name for names in facts["wanted"] for name in names.split(", ")}
    assert shown == {"redis", "all"} and set(catalogue()) <= {title.split(" ")[0] for title in facts["titles"]}
    added = Edits(edits=(Edit(do="add", item="db", name="postgresql", quote="somewhere to keep orders"),))
    told = listener.untold(added, Conversation(), by_rule(SHOP), SHOP)
    assert "postgresql: " in told and "users" in told
    assert not listener.untold(added, Conversation(), by_rule("a postgresql"), SHOP)


@pytest.mark.parametrize(
    ("quote", "taken"),
    [
        ("somewhere to keep orders", True),
        ("somewhere to keep invoices", False),
        ("network 20", False),
        ("40 people", False),
        ("production", False),
        ("and", False),
        ("", False),
    ],
)
def test_a_service_need_not_be_named_where_words_show_that_it_is_wished_for(quote: str, taken: bool) -> None:
    edits = Edits(edits=(Edit(do="add", item="db", name="postgresql", quote=quote),))
    proven, dropped = prove(edits, [SHOP], Request(), catalogue(), by_rule(SHOP))
    assert (len(proven.edits), len(dropped)) == ((1, 0) if taken else (0, 1))
    assert proven.taken == (((quote, "postgresql"),) if taken else ())


@pytest.mark.parametrize("text", ["a redis with 2 GB of data", "no database please, a redis"])
def test_what_names_another_service_or_denies_it_asks_for_none(text: str) -> None:
    for quote in ("redis", "a redis", "no database please"):
        edits = Edits(edits=(Edit(do="add", item="db", name="postgresql", quote=quote),))
        assert prove(edits, [text], Request(), catalogue(), by_rule(text))[0].edits == ()
