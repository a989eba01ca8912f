"""Sentences as operators say them, heard and understood, by the table `needs.yaml`: no size that was said is dropped, and what we do not
make is never replaced by what we do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from clusters import SITE

from tests.hearing.facts import said
from tools.capabilities import catalogue, chain
from tools.values.requirements import Needs

TABLE = yaml.safe_load((Path(__file__).parent / "needs.yaml").read_text())


def needs_of(*texts: str) -> dict[str, Needs]:
    return {part.capability: part for part in chain.understand(said(*texts), SITE, "operator").parts}


@pytest.mark.parametrize(("words", "expected"), TABLE.items())
def test_what_is_needed(words: str, expected: dict[str, dict[str, Any]]) -> None:
    needs = needs_of(*words.split(" // "))
    assert needs.keys() == expected.keys()
    for name, wanted in expected.items():
        problem = wanted.get("problem", [])
        assert len(needs[name].problems) == bool(problem) and needs[name].missing == ()
        assert all(one in needs[name].problems[0] for one in problem)
        for field, value in ((field, value) for field, value in wanted.items() if field != "problem"):
            found = needs[name].field(field)
            assert found is not None, field
            low, high = value if isinstance(value, list) else (value, value)
            assert low <= found.value <= high, field
            if found.low is not None and found.high is not None:
                assert found.low <= float(found.value) <= found.high, field  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["dev_environment", "postgresql", "virtual_machine", "web_server"])
def test_every_example_of_a_capability_is_complete(name: str) -> None:
    for example in catalogue()[name].EXAMPLES:
        [(capability, needs)] = needs_of(example).items()
        assert (capability, needs.problems) == (name, ()), example
        assert {missing.name for missing in needs.missing} <= {"environment"}, example


@pytest.mark.parametrize(
    "words",
    [
        "two web servers behind a load balancer, production, network 20",
        "a web tier with load balancing, production, network 20",
        "a web application with load balancing and a database that survives a node, 80 users, production, network 20",
    ],
)
def test_what_a_service_is_made_of_is_no_wish_that_is_left_out(words: str) -> None:
    needs = needs_of(words)
    assert "web_tier" in needs and not any(one.not_included for one in needs.values())


PLACED = "a Debian VM called lab with 2 cores, 4 GB and 20 GB on network 20 on node pve2, development, no key"


@pytest.mark.parametrize(
    "unsaid", ["on any node", "any node will do", "the node does not matter", "I don't care which node", "wherever there is room"]
)
def test_what_was_said_of_a_place_can_be_unsaid(unsaid: str) -> None:
    assert needs_of(PLACED)["virtual_machine"].text("node") == "pve2"
    assert needs_of(PLACED, unsaid)["virtual_machine"].text("node") == ""


def test_after_sixty_changes_it_is_still_known_what_is_changed() -> None:
    changes = [f"make it {3 + n % 5} cores" for n in range(60)]
    assert needs_of(PLACED, *changes)["virtual_machine"].whole("cpu_count") == 3 + 59 % 5
