"""A choice that fails the review is refined, a refinement that breaks something is dropped, and the rounds are bounded.

The model is scripted at the wire; what it picks is within the offer, but three machines of that size are too much for one node.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import environment
from tests.conftest import Berth, Chat
from tests.stories.scripted import Part, Scripted, hears, offered_in, picks, scripted_berth

SENTENCE = "three web servers on network 20, production, on node pve4"
SAID = {
    "count": ("3", "three web servers"),
    "network": ("20", "network 20"),
    "environment": ("production", "production"),
    "node": ("pve4", "node pve4"),
}


@pytest.fixture(scope="module")
def scripted(emulated_cluster: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Berth, Scripted]]:
    ready, folder = emulated_cluster
    with scripted_berth(environment(ready, folder), tmp_path_factory.mktemp("scripted"), lambda *_: []) as both:
        yield both


def says(model: Scripted, *choices: dict[str, float], heard: dict[str, tuple[str, str]] = SAID) -> None:
    """The model picks the first candidate with these numbers, one after the other; the last one for ever."""

    def plays(tool: str, prompt: str, number: int) -> list[Part]:
        if tool == "edit_request":
            return [hears("web_server", heard is SAID, **heard)]
        return [picks("web_server", offered_in(prompt)[0], **choices[min(number, len(choices)) - 1])]

    model.begin(plays)


def sizes(chat: Chat) -> set[tuple[int, ...]]:
    """(vCPUs, MiB) of the machines planned, each once."""
    assert chat.changes == {"create": 3}
    return {(machine.cpu_count, machine.memory_mib) for machine in chat.machines}


def test_a_first_choice_that_fails_the_review_is_refined(scripted: tuple[Berth, Scripted]) -> None:
    berth, model = scripted
    says(model, {"cpu_count": 4}, {})
    chat = berth.chat()
    chat.say(SENTENCE)
    assert (chat.refinements, sizes(chat)) == (1, {(2, 2048)})
    assert "processors of pve4" in model.prompts[2], "the refiner is told what failed"
    chat.say("no")


def test_the_arithmetic_beside_the_approval_is_of_what_the_model_chose(scripted: tuple[Berth, Scripted]) -> None:
    berth, model = scripted
    says(model, {"memory_mib": 3072})
    chat = berth.chat()
    assert "3 GiB" in chat.say(SENTENCE).text
    memory = next(one for one in chat.part.sums if one.subject == "memory of pve4").scaled
    assert dict(memory.terms)["this request"] == 3 * 3
    assert memory.written in chat.say("arithmetic").text
    chat.say("no")


def test_a_refinement_that_breaks_what_held_is_dropped(scripted: tuple[Berth, Scripted]) -> None:
    berth, model = scripted
    says(model, {"cpu_count": 4}, {"memory_mib": 8192}, {})
    chat = berth.chat()
    chat.say(SENTENCE)
    assert (chat.refinements, sizes(chat)) == (2, {(2, 2048)})
    assert model.calls["propose"] == 3
    chat.say("no")


def test_when_the_rounds_are_used_up_the_rules_choose(scripted: tuple[Berth, Scripted]) -> None:
    berth, model = scripted
    says(model, {"cpu_count": 4}, {"cpu_count": 4, "memory_mib": 1024}, {"cpu_count": 4, "memory_mib": 2000}, {"cpu_count": 3})
    chat = berth.chat()
    chat.say(SENTENCE)
    assert (sizes(chat), chat.plan.manifest.made_by) == ({(2, 2048)}, "rule")
    assert model.calls["propose"] == 4, "one pick and three refinements"
    chat.say("no")


def test_when_nothing_passes_there_is_no_plan_but_what_would(scripted: tuple[Berth, Scripted]) -> None:
    """Said by the operator, no number is anybody's to refine: four vCPUs on each of three machines are too much for that node."""
    berth, model = scripted
    says(model, {}, heard={**SAID, "cpu_count": ("4", "4 cores")})
    chat = berth.chat()
    refused = chat.say(SENTENCE + ", 4 cores each")
    assert "2 vCPU" in refused.text, "what would pass is said"
    assert chat.kept is None
    says(model, {}, heard={"cpu_count": ("2", "2 cores")})
    chat.say("with 2 cores each")
    assert sizes(chat) == {(2, 2048)}, "and the conversation goes on"
    chat.say("no")


@pytest.mark.parametrize("nonsense", [{"cpu_count": 10_000}, {"cpu_count": -1}, {"disk_gib": 1e300}, {"root": 1}])
def test_numbers_out_of_range_are_refused_and_the_rules_settle_it(scripted: tuple[Berth, Scripted], nonsense: dict[str, float]) -> None:
    berth, model = scripted
    says(model, nonsense)
    chat = berth.chat()
    chat.say(SENTENCE)
    assert sizes(chat) == {(2, 2048)}
    assert model.calls["propose"] <= 3, "the tries are bounded"
    chat.say("no")
