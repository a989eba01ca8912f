"""The comparison itself: what counts as right, wrong, missing, dropped and invented."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hearing.score import score, score_turn


def case(*items: dict[str, Any], **expect: Any) -> dict[str, Any]:
    return {"kind": "", "before": [], "text": "", "expect": {"items": list(items), **expect}}


def item(service: str = "virtual_machine", **facts: Any) -> dict[str, Any]:
    return {"service": service, "count": facts.pop("count", 1), "names": facts.pop("names", []), "facts": facts}


def said(service: str = "virtual_machine", **facts: Any) -> dict[str, Any]:
    heard = item(service, **facts)
    return heard | {"label": service, "facts": {name: {"value": value, "origin": "said"} for name, value in heard["facts"].items()}}


def verdicts(case: dict[str, Any], *items: dict[str, Any], **heard: Any) -> dict[str, str]:
    return dict(score(case, {"items": list(items), **heard}))


def test_the_same_request_is_right_in_every_field() -> None:
    found = verdicts(case(item(cpu_count=4, ports=[443, 22]), shared={"network": "20"}), said(cpu_count=4, ports=[22, 443], network="20"))
    assert set(found.values()) == {"right"}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("expected", "heard", "answer"),
    [
        ({"memory_mib": 8192}, {"memory_mib": 8192}, "right"),
        ({"memory_mib": 8192}, {"memory_mib": 51200}, "wrong"),
        ({"os": "debian"}, {"os": "Debian 12"}, "right"),
        ({"os": "debian"}, {"os": "ubuntu"}, "wrong"),
        ({"users": 40}, {"concurrent_users": 40}, "right"),
        ({"region": "eastus"}, {"region": "East US"}, "right"),
        ({"network": "30"}, {"network": 30}, "right"),
        ({"disk_gib": {"any": [1000, 1024]}}, {"disk_gib": 1024}, "right"),
        ({"data_disks_gib": [100, 50]}, {"data_disks_gib": [50, 100]}, "right"),
        ({"needed_by": "2027-02-15"}, {}, "dropped"),
    ],
)
def test_a_fact_is_compared_by_its_value(expected: dict[str, Any], heard: dict[str, Any], answer: str) -> None:
    name = next(iter(expected))
    assert verdicts(case(item(**expected)), said(**heard))[f"{name} of virtual_machine"] == answer


@pytest.mark.parametrize("heard", [{"unused": ["500 GB"]}, {"questions": [{"item": "", "about": "disk", "text": "How large?"}]}])
def test_what_was_not_heard_but_told_is_missing_and_not_dropped(heard: dict[str, Any]) -> None:
    assert verdicts(case(item(disk_gib=500)), said(), **heard)["disk_gib of virtual_machine"] == "missing"


def test_a_fact_that_nobody_said_is_invented_and_an_assumption_is_not() -> None:
    assert verdicts(case(item()), said(disk_gib=64))["disk_gib of virtual_machine"] == "invented"
    assumed = said()
    assumed["facts"]["disk_gib"] = {"value": 64, "origin": "assumption"}
    assert "invented" not in verdicts(case(item()), assumed).values()


def test_a_second_item_that_nobody_asked_for_is_invented() -> None:
    assert verdicts(case(item()), said(), said("postgresql"))["item postgresql"] == "invented"


def test_a_tag_and_a_bridge_that_say_the_network_again_are_no_inventions() -> None:
    assert "invented" not in verdicts(case(item(), shared={"network": "20"}), said(network="20", vlan=20)).values()


def test_rows_and_a_number_of_machines_are_the_same_answer() -> None:
    rows = [said(cpu_count=2, names=[f"api-{number}"]) for number in (1, 2)]
    assert set(verdicts(case(item(cpu_count=2, count=2, names=["api-1", "api-2"])), *rows).values()) == {"right"}


def test_groups_of_one_service_are_told_apart_by_name_then_number_then_facts() -> None:
    wanted = case(item(cpu_count=2, count=3), item(cpu_count=8, count=1))
    assert set(verdicts(wanted, said(cpu_count=8, count=1), said(cpu_count=2, count=3)).values()) == {"right"}


@pytest.mark.parametrize(("count", "answer"), [(3, "right"), (2, "wrong"), (5, "wrong")])
def test_a_number_of_machines_is_a_field(count: int, answer: str) -> None:
    assert verdicts(case(item(count=3)), said(count=count))["count of virtual_machine"] == answer


def test_what_is_said_once_may_stand_in_the_item_and_the_other_way_round() -> None:
    assert verdicts(case(item(), shared={"environment": "production"}), said(environment="production"))["environment"] == "right"
    heard = verdicts(case(item(environment="staging")), said(), shared={"environment": {"value": "staging"}})
    assert heard["environment of virtual_machine"] == "right"


@pytest.mark.parametrize(
    ("forbidden", "heard"),
    [
        ("item", {"items": [said()]}),
        ("postgresql", {"items": [said("postgresql")]}),
        ("environment=production", {"items": [said(environment="production")]}),
        ("users", {"items": [said(users=3)]}),
        ("remove app-01", {"items": [], "commands": [{"do": "remove", "what": "app-01"}]}),
    ],
)
def test_what_may_not_be_held_is_dangerous_in_a_dialogue(forbidden: str, heard: dict[str, Any]) -> None:
    assert score_turn(case(must_not_hold=[forbidden]), heard) == "dangerous"


def test_a_turn_is_right_as_a_whole_or_not() -> None:
    wanted = case(item(cpu_count=4, memory_mib=8192))
    assert score_turn(wanted, {"items": [said(cpu_count=4, memory_mib=8192)]}) == "right"
    assert score_turn(wanted, {"items": [said(cpu_count=4)]}) == "wrong"
    wanted["expect"]["intent"] = "undo"
    assert score_turn(wanted, {"items": [said(cpu_count=4, memory_mib=8192)]}) == "wrong"
