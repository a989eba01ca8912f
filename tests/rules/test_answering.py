"""What a question is about, and what the values at hand say to it. What has to be looked up first is in tests/stories/test_questions.py."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import get_args

import pytest
from clusters import NOTHING, SITE, four_nodes
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.machines.capacity import Room
from tools.rules.machines.firewall import Firewall
from tools.rules.machines.losing import losses
from tools.rules.words import answering, telling
from tools.rules.words.answering import Past, Topic, topic_of
from tools.rules.words.rendering import draw
from tools.values.machine import Machine
from tools.values.manifest import Manifest, Part, Resource
from tools.values.offer import Exclusion, Offer, PartOffer
from tools.values.plan import Approval, Estimate, Line, Plan
from tools.values.requirements import Field, Needs, Origin
from tools.values.run import Run, StepRecord

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 29)
ABOUT: dict[str, list[str]] = {
    "cost": [
        "what will it cost?",
        "What does a database for 1,000 users cost?",
        "what would 8 GB cost?",
        "how much is it a month",
        "wie viel kostet das?",
        "combien ça coûte ?",
        "¿cuánto cuesta?",
        "maliyeti ne?",
    ],
    "spend": [
        "what do we spend?",
        "how much do we spend a month?",
        "how much have we spent?",
        "show our bill",
        "wie viel haben wir ausgegeben?",
    ],
    "time": ["how long will it take", "when will it be ready?", "wie lange dauert das?"],
    "approved": ["who approved the last one", "when was it approved?", "wer hat das genehmigt?"],
    "built": ["what did we build yesterday", "who made db-01?", "when was app-01 created?", "what have we built so far?"],
    "open": [
        "what is open on web-1?",
        "which ports are open on db-01?",
        "was ist offen auf web-1?",
        "quels ports sont ouverts sur web-1 ?",
    ],
    "restart": ["is there a restart?", "does it need a restart", "will there be downtime?", "wird es neu gestartet?"],
    "runs_on": ["which machines run on pve2", "what runs on pve2?", "was läuft auf pve2?"],
    "room": ["is there room for two more?", "would two more fit?", "is there enough room"],
    "left": ["what would fit on pve2?", "how much memory is left on pve1", "how much is free on pve3?"],
    "where": ["where does it run?", "where is db-01"],
    "size": ["why 4 GB?", "why this size", "how big is it", "why 2 cores?"],
    "place": ["why this node?", "why there?", "why on pve2"],
    "more": ["why not more GPUs", "why only one"],
    "left_out": ["what is not included?", "what did you ignore"],
    "loss": [
        "what if a node fails?",
        "what if there is a node less",
        "and if pve3 dies?",
        "what happens if a node dies?",
        "does it survive a node?",
    ],
    "what_if": ["what if it had 16 GB?", "what would change with 8 cores?"],
    "log_in": ["where is the password?", "how do I log in?", "how can I ssh into it"],
    "networks": ["what networks are there?", "which VLANs do you have"],
    "approvers": ["who has to approve this?", "whose approval does it need?", "wer muss das genehmigen?"],
    "backup": ["is it backed up?", "are there backups?", "wird das gesichert?"],
    "cheaper": ["can it be cheaper?", "how could we save money?", "geht das billiger?"],
    "later": ["can I delete them later?", "can I change that later?"],
    "": ["pve2?", "is production on pve3?", "what is a web tier?", "is it secure?"],
}


@pytest.mark.parametrize(("topic", "text"), [(topic, text) for topic, texts in ABOUT.items() for text in texts])
def test_a_question_is_about_what_its_words_say(topic: str, text: str) -> None:
    assert topic_of(text) == topic


@given(st.text())
def test_any_text_is_about_something_or_nothing(text: str) -> None:
    assert topic_of(text) in get_args(Topic)


def test_every_topic_has_words_and_every_word_has_a_topic() -> None:
    listed = tomllib.loads(files("tools.rules.words").joinpath("texts", "questions.toml").read_text("utf-8"))
    assert set(listed) == set(get_args(Topic)) - {""} == set(ABOUT) - {""}


def machine(name: str, node: str = "pve2") -> Machine:
    return Machine(
        name=name,
        vm_id=100,
        node=node,
        template_vm_id=9000,
        template_node=node,
        storage="ceph-vm",
        disk_interface="scsi0",
        disk_gib=40,
        memory_mib=4096,
        cpu_count=2,
        bridge="vmbr0",
        vlan_tag=20,
        user_name="ops",
        public_keys=(),
    )


def past(run_id: str, name: str, began: datetime = NOON, seconds: float = 90, requester: str = "ops", conversation: str = "talk") -> Past:
    made = machine(name)
    resource = Resource(name=name, kind="virtual machine", where="pve2, ceph-vm, network 20", size="2 vCPU, 4 GiB memory", because="x")
    needs = Needs(capability="virtual_machine", label="vm", platform="proxmox")
    part = Part(
        label="vm",
        capability="virtual_machine",
        platform="proxmox",
        needs=needs,
        candidate="pve2/ceph-vm",
        because="It ranks first.",
        module="machines",
        machines=(made,),
        resources=(resource,),
    )
    manifest = Manifest(requester=requester, made_by="rule", parts=(part,), snapshot_digests=())
    plan = Plan(
        run_id=run_id,
        conversation=conversation,
        kind="create",
        requester=requester,
        manifest_digest=manifest.digest,
        review_digest="0" * 64,
        snapshot_digests=(),
        policy_version="",
        parts=(),
        estimate=Estimate(),
        made_at=began,
        expires_at=began + timedelta(minutes=30),
    )
    step = StepRecord(part="vm", name="apply", status="done", started_at=began, ended_at=began + timedelta(seconds=seconds))
    approval = Approval(
        plan_digest=plan.digest,
        role="vp",
        principal="ada",
        words="approve",
        at=began,
        expires_at=began + timedelta(minutes=30),
        nonce="n",
        override_reason="it is urgent",
    )
    return Past(Run(id=run_id, plan_digest=plan.digest, status="done", steps=(step,)), plan, manifest, (approval,))


RUNS = (
    past("run-1", "app-01", NOON - timedelta(days=8), seconds=60),
    past("run-2", "db-01", NOON, seconds=100, requester="bob"),
    past("run-3", "web-01", NOON + timedelta(days=1), seconds=300, conversation="other"),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("what did we build yesterday", ["db-01"]),
        ("what did we build today", ["web-01"]),
        ("what did we build this week", ["db-01", "web-01"]),
        ("what have we built", ["app-01", "db-01", "web-01"]),
        ("what have I built", ["app-01", "web-01"]),
        ("what was built in this conversation", ["app-01", "db-01"]),
    ],
)
def test_what_was_built_is_told_of_the_days_and_the_people_that_are_named(text: str, names: list[str]) -> None:
    told = answering.built(text, RUNS, "talk", "ops", TODAY)
    assert [one.names[0] for one in told.values[0]] == names  # type: ignore[attr-defined]
    assert all(name in draw(told) for name in names)


def test_who_approved_is_told_of_the_last_run_or_of_the_one_that_is_named() -> None:
    last, named = draw(answering.approved("who approved the last one", RUNS)), draw(answering.approved("who approved db-01?", RUNS))
    assert "web-01" in last and "db-01" in named
    for said in ("ada", "vp", "2026-11-28 at 12:00", "it is urgent"):
        assert said in named
    assert draw(answering.approved("who approved it", ()))


def test_the_time_to_expect_is_the_middle_of_what_runs_like_it_took() -> None:
    assert "1 min 40 s" in draw(answering.time(RUNS)) and "5 min 0 s" in draw(answering.time(RUNS))
    assert not any(sign.isdigit() for sign in draw(answering.time(())))
    assert answering.alike(RUNS, RUNS[0].manifest) == RUNS


def test_a_list_of_runs_says_what_where_when_and_for_whom() -> None:
    told = draw(telling.runs([one.run for one in RUNS], RUNS[:2])).splitlines()
    for said in ("run-2", "db-01", "pve2", "2026-11-28 at 12:00", "bob", "done"):
        assert said in told[3]
    assert "run-3" in told[4] and "done" in told[4], "of one that cannot be read there is its status"


HTTPS = ("in", "ACCEPT", "tcp", "443", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("firewall", "on", "told"),
    [
        (Firewall(on=False, drops=True, rules=()), True, "has no firewall"),
        (Firewall(on=True, drops=True, rules=(HTTPS,)), True, "lets in 443 from 10.0.0.0/8, and nothing else."),
        (
            Firewall(on=True, drops=True, rules=(HTTPS,)),
            False,
            "would let in 443 from 10.0.0.0/8, and nothing else. The datacentre's firewall is off",
        ),
        (Firewall(on=True, drops=True, rules=()), True, "lets in nothing."),
        (
            Firewall(on=True, drops=False, rules=(("in", "DROP", "", "", "", "macro Web"),)),
            True,
            "lets in in DROP macro Web; what no rule names",
        ),
        (Firewall(on=True, drops=True, rules=(HTTPS,), left_out=("net1",)), True, "leaves out net1"),
    ],
)
def test_what_is_open_is_told_as_it_is(firewall: Firewall, on: bool, told: str) -> None:
    seen = four_nodes(firewall_on=on)
    [guest] = answering.named_guests(f"what is open on {seen.guests[0].name}?", seen, ())
    assert told in " ".join(draw(answering.opened([(guest, firewall)], seen)).split())


def test_what_runs_on_a_node_and_what_is_left_there() -> None:
    seen = four_nodes()
    node = seen.nodes[0]
    running = [guest.name for guest in seen.guests if guest.node == node.name and guest.running]
    told = draw(answering.runs_on(f"which machines run on {node.name}?", seen))
    assert all(name in told for name in running) and len(told.splitlines()) == 1
    room = Room.of(seen, SITE.environment("production"), NOTHING)
    assert node.name in draw(answering.left(f"what fits on {node.name}", room))
    assert len(draw(answering.left("how much is left", room)).splitlines()) == len([one for one in seen.nodes if one.online])
    told = draw(answering.loss(room))
    assert all((one.node in told) is bool(one.homeless) for one in losses(room))
    silent = seen.model_copy(
        update={"nodes": (node.model_copy(update={"online": False, "memory_bytes": 0, "cpu_count": 0}), *seen.nodes[1:])}
    )
    told = draw(answering.left(f"what fits on {node.name}", Room.of(silent, SITE.environment("production"), NOTHING)))
    assert "not known" in told and " 0 " not in told


def test_a_cost_in_money_names_the_largest_items() -> None:
    lines = tuple(Line(subject=f"thing {n}", path="compute", quantity=1, unit="hour", amount=float(n)) for n in range(1, 6))
    told = draw(answering.cost(RUNS[0].manifest, Estimate(currency="USD", total=15.0, lines=lines, captured_at="2026-11-21")))
    assert "15.00 USD" in told and "thing 5" in told and "thing 1" not in told
    assert len(told.splitlines()) <= 5


def test_what_was_not_taken_is_told_with_what_the_question_names_first() -> None:
    exclusions = (Exclusion(subject="pve1/local", reason="it is full"), Exclusion(subject="two GPUs", reason="over the budget of 8,000"))
    offer = Offer(requirements_digest="", snapshot_digests=(), parts=(PartOffer(label="vm", candidates=(), exclusions=exclusions),))
    assert draw(answering.more("why not more GPUs?", RUNS[0].manifest, offer)).startswith("- two GPUs: over the budget of 8,000")


def test_how_many_more_is_read_from_the_question() -> None:
    assert [answering.count_in(text) for text in ("room for two more?", "would 12 more fit?", "is there room?")] == [2, 12, 1]


def test_a_size_is_told_before_a_plan_too_and_what_the_question_names_comes_first() -> None:
    fields = [Field(name=name, value=2048, unit="MiB", origin=Origin.ASSUMED, because="x") for name in ("disk_mib", "memory_mib")]
    needs = Needs(capability="virtual_machine", label="vm", platform="proxmox", fields=tuple(fields))
    assert draw(answering.size("why so much memory?", [needs])).startswith("- memory 2 GiB: assumed")
