"""The sentence and its variants: asked for in an operator's own words, planned, and dropped again. Nothing is applied here."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.conftest import Berth, Reply


def machines(berth: Berth, reply: Reply) -> list[dict[str, Any]]:
    """What terraform is given for the plan that was shown."""
    parts = list((berth.home / "runs" / reply.run_id).glob("*/terraform.tfvars.json"))
    assert len(parts) == 1, parts
    return list(json.loads(parts[0].read_text())["machines"])


def requirement(reply: Reply, name: str) -> str:
    """The row of the requirements' table: value and where it is from."""
    rows = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", reply.text, re.MULTILINE)
    assert rows, reply.text
    return str(rows[-1])


@pytest.mark.parametrize(
    ("sentence", "name", "size"),
    [
        ("I need a web server on network 20, development", r"web-\d\d", (2, 2048, 20)),
        ("a development environment on network lab", r"dev-\d\d", (4, 8192, 40)),
        ("4 cores 8 GB 60 GB Debian VM called build-01 on network 20, production", "build-01", (4, 8192, 60)),
        ("an Ubuntu virtual machine with 2 vCPUs, 4 GB memory and 30 GB disk, staging, on network 30", r"vm-\d\d", (2, 4096, 30)),
    ],
)
def test_a_variant_of_the_sentence_becomes_a_plan(berth: Berth, sentence: str, name: str, size: tuple[int, int, int]) -> None:
    chat = berth.chat()
    planned = chat.say(sentence)
    assert "1 to create" in planned.text, planned.text
    (machine,) = machines(berth, planned)
    assert re.fullmatch(name, machine["name"])
    assert (machine["cpu_count"], machine["memory_mib"], machine["disk_gib"]) == size
    assert "is void" in chat.say("no").text


def test_ten_web_servers_are_ten_machines_within_the_room_there_is(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("ten web servers on network 20, production")
    assert "10 to create" in planned.text, planned.text
    made = machines(berth, planned)
    assert len({m["name"] for m in made}) == len({m["vm_id"] for m in made}) == 10
    sums = re.findall(r"^\| (?:memory|processors|storage) .* = ([\d.,]+) \| ≤ ([\d.,]+) ", planned.text, re.MULTILINE)
    assert len(sums) >= 3, planned.text
    assert all(float(used.replace(",", "")) <= float(limit.replace(",", "")) for used, limit in sums)
    chat.say("no")


def test_missing_facts_are_asked_for_at_once_with_suggestions_and_answered_bit_by_bit(berth: Berth) -> None:
    chat = berth.chat()
    asked = chat.say("I need a PostgreSQL database")
    for words in ("How many", "`production`", "`network 20`"):
        assert words in asked.text, asked.text
    assert "approve " not in asked.text
    first = chat.say("100")
    assert "concurrent users = 100" in first.text and "How many" not in first.text, first.text
    second = chat.say("network 20")
    assert "production" in second.text and "Which network" not in second.text, second.text
    planned = chat.say("production")
    assert "you said “100”" in requirement(planned, "concurrent users")
    assert planned.digest
    chat.say("no")


def test_names_are_suggested_and_can_be_overridden(berth: Berth) -> None:
    chat = berth.chat()
    suggested = chat.say("a web server on network 20, development")
    assert re.fullmatch(r"web-\d\d", machines(berth, suggested)[0]["name"])
    named = chat.say("name it ada-web")
    assert machines(berth, named)[0]["name"] == "ada-web"
    assert named.digest != suggested.digest
    chat.say("no")


def test_a_change_before_approval_makes_a_new_plan_and_voids_the_old_one(berth: Berth) -> None:
    chat = berth.chat()
    first = chat.say("a web server on network 20, development")
    second = chat.say("make it 3 cores")
    assert second.digest != first.digest
    assert machines(berth, second)[0]["cpu_count"] == 3
    refused = chat.say(f"approve {first.digest}")
    assert "void" in refused.text or "no longer" in refused.text, refused.text
    assert "Approved" not in refused.text
    assert not (berth.home / "runs" / first.run_id / "approval.json").exists()
    assert "The plan is void" in chat.say("no").text
    assert "Approved" not in chat.say(f"approve {second.digest}").text
    assert "no plan to approve" in chat.say("yes").text


def test_a_plan_that_a_change_has_taken_from_the_screen_cannot_be_approved(berth: Berth) -> None:
    """Whatever comes of the change: here it ends in a question, and nothing new is planned."""
    chat = berth.chat()
    planned = chat.say("I need a web server on network 20, development")
    asked = chat.say("make it 0 cores")
    assert "Say a number from 1" in asked.text, asked.text
    refused = chat.say(f"approve {planned.digest}")
    assert "This plan is void" in refused.text, refused.text
    assert "nothing was changed" in chat.say("no").text
    assert "This plan is void" in chat.say(f"approve {planned.digest}").text


def test_a_question_that_names_a_value_changes_nothing(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("I need a web server on network 20, development")
    for question in ("why 2 GB?", "is production on pve3?", "what would 8 GB cost?"):
        answered = chat.say(question)
        assert "Ranking:" in answered.text, answered.text
    assert f"approve {planned.digest}" in chat.say("status").text
    later = chat.say("I need another web server, staging, on network 30")
    assert "one at a time" in later.text, later.text
    again = chat.say("plan again")
    assert again.digest != planned.digest
    assert "This plan is void" in chat.say(f"approve {planned.digest}").text
    chat.say("no")


def test_questions_are_answered_and_change_nothing(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("a web server on network 20, development")
    why = chat.say("why this node?")
    assert "Ranking:" in why.text and "**Arithmetic**" in why.text, why.text
    how = chat.say("yes")
    assert planned.digest in how.text, "a bare yes is told how to approve, and approves nothing"
    status = chat.say("status")
    assert planned.digest in status.text, status.text
    assert "PostgreSQL" in chat.say("help").text
    assert chat.say("list").text
    assert "Nothing is running" in chat.say("follow").text
    assert "is void" in chat.say("no").text, "the plan was still the one on offer"
