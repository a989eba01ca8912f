"""The sentence and its variants: asked for in an operator's own words, planned, and dropped again. Nothing is applied here."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Berth

WEB = "a web server on network 20, development"


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
    assert chat.say(sentence).digest == chat.open_digest, "what is shown is what is stored"
    assert chat.changes == {"create": 1}
    [machine] = chat.machines
    assert re.fullmatch(name, machine.name)
    assert (machine.cpu_count, machine.memory_mib, machine.disk_gib) == size
    chat.say("no")
    assert (chat.plan.status, chat.phase) == ("void", "listening")


def test_ten_web_servers_are_ten_machines_within_the_room_there_is(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("ten web servers on network 20, production")
    assert chat.changes == {"create": 10}
    assert len({m.name for m in chat.machines}) == len({m.vm_id for m in chat.machines}) == 10
    sums = re.findall(r" = ([\d.,]+) \| ≤ ([\d.,]+) ", chat.say("arithmetic").text)
    assert len(sums) >= 3
    assert all(float(used.replace(",", "")) <= float(limit.replace(",", "")) for used, limit in sums)
    chat.say("no")


def test_two_plans_may_wait_with_one_name_and_who_is_approved_first_has_it(berth: Berth) -> None:
    first, second, unnamed = berth.chat(), berth.chat(), berth.chat()
    wish = "a virtual machine called stage-7 with 1 core, 1 GB memory and 10 GB disk, development, network 20"
    first.say(wish)
    second.say(wish)
    assert first.open_digest and second.open_digest
    assert [f.kind for f in second.plan.review.findings if f.check == "waiting"] == ["waiting.same"]
    unnamed.say("a web server on network 20, development")
    other = berth.chat()
    other.say("a web server on network 20, development")
    assert not {m.name for m in unnamed.machines} & {m.name for m in other.machines}, "what Berth names itself is nobody else's"
    for chat in (first, unnamed, other):
        chat.say("no")
    assert second.plan.status == "open"
    second.say("no")


def test_missing_facts_are_asked_for_at_once_with_suggestions_and_answered_bit_by_bit(berth: Berth) -> None:
    chat = berth.chat()
    asked = chat.say("I need a PostgreSQL database")
    assert chat.asked == {"users", "environment", "network"}
    for missing in chat.requirements.parts[0].missing:
        assert missing.question in asked.text and all(f"`{one}`" in asked.text for one in missing.suggestions)
    chat.say("100")
    assert chat.asked == {"environment", "network"}
    chat.say("network 20")
    assert chat.asked == {"environment"} and chat.kept is None
    chat.say("production")
    users = chat.required("concurrent_users")
    assert (users.value, users.words) == (100, "100")
    assert chat.open_digest
    chat.say("no")


def test_names_are_suggested_and_can_be_overridden(berth: Berth) -> None:
    chat = berth.chat()
    suggested = chat.say(WEB)
    assert re.fullmatch(r"web-\d\d", chat.machines[0].name)
    named = chat.say("name it ada-web")
    assert chat.machines[0].name == "ada-web"
    assert named.digest != suggested.digest
    chat.say("no")


def test_a_change_before_approval_makes_a_new_plan_and_voids_the_old_one(berth: Berth) -> None:
    chat = berth.chat()
    first, first_run = chat.say(WEB), chat.plan.plan.run_id
    second = chat.say("make it 3 cores")
    assert second.digest == chat.open_digest != first.digest
    assert chat.machines[0].cpu_count == 3
    chat.say(f"approve {first.digest}")
    assert (chat.open_digest, chat.approvals) == (second.digest, ())
    assert not (berth.home / "runs" / first_run / "approval.json").exists()
    chat.say("no")
    for words in (f"approve {second.digest}", "yes"):
        chat.say(words)
        assert (chat.plan.status, chat.approvals, chat.phase) == ("void", (), "listening")


def test_a_plan_that_a_change_has_taken_from_the_screen_cannot_be_approved(berth: Berth) -> None:
    """Whatever comes of the change: here it ends in a question, and nothing new is planned."""
    chat = berth.chat()
    planned = chat.say(WEB)
    chat.say("make it 0 cores")
    assert chat.requirements.parts[0].problems
    for words in (f"approve {planned.digest}", "no", f"approve {planned.digest}"):
        chat.say(words)
        assert (chat.plan.status, chat.approvals) == ("void", ())


def test_a_question_that_names_a_value_changes_nothing(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say(WEB)
    for question in ("why 2 GB?", "is production on pve3?", "what would 8 GB cost?", "why this node?"):
        assert chat.say(question).text
    for words in ("yes", "status"):
        assert chat.say(words).digest == chat.open_digest == planned.digest
    again = chat.say("plan again")
    assert again.digest == chat.open_digest != planned.digest
    chat.say(f"approve {planned.digest}")
    assert (chat.open_digest, chat.approvals) == (again.digest, ())
    chat.say("no")


def test_what_is_only_looked_at_changes_nothing(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say(WEB)
    for words in ("help", "list", "follow"):
        assert chat.say(words).text
    assert chat.open_digest == planned.digest, "the plan is still the one on offer"
    chat.say("no")
