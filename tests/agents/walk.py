"""Walks the reducer from every phase with everything that can happen. `python -m tests.agents.walk` prints the diagram of adk_web.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from tools.rules.words.reducer import step
from tools.values.conversation import Conversation, Phase, PlanKind
from tools.values.events import (
    Approved,
    Countered,
    Drafted,
    Ended,
    Event,
    Failed,
    Found,
    Intent,
    Judged,
    Message,
    Offered,
    Planned,
    Proposed,
    Said,
    Seen,
    Started,
    Understood,
)
from tools.values.manifest import Manifest
from tools.values.offer import Candidate, Offer, PartOffer, Pick, Proposal
from tools.values.plan import Estimate, Plan
from tools.values.request import Doubt, Edit, Edits, Fact, Item, Reading, Request
from tools.values.requirements import Missing, Needs, Requirements
from tools.values.review import Review, fault
from tools.values.run import Run, RunStatus

Happened = Message | Event
WORDS = {Intent.CANCEL: "no", Intent.REMOVE: "remove it"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWN, OTHER = "run-own", "run-other"

REQUEST = Request(items=(Item(capability="x", label="x", facts=(Fact(name="cpu_count", value="2", quote="2"),)),))
OTHERWISE = Request(items=(Item(capability="x", label="x"),))
CHANGE = Edits(edits=(Edit(do="set", item="x", name="cpu_count", value="2", quote="2"),))
ADDED = Edits(edits=(Edit(do="add", item="y", name="y", quote="y"),))
COMPLETE = Requirements(requester="ops", parts=(Needs(capability="x", label="x", platform="proxmox"),))
OPEN = Requirements(
    requester="ops",
    parts=(Needs(capability="x", label="x", platform="proxmox", missing=(Missing(name="network", question="Which?"),)),),
)
DOUBT = Doubt(item="x", quote="2", about=("cpu_count", "count"), readings=(Reading(text="2 cores", edits=CHANGE.edits),))
NONE = Requirements(requester="ops", parts=())
CANDIDATES = tuple(Candidate(id=name, title=name, score=0.5, reasons=()) for name in ("a", "b"))
OFFER = Offer(requirements_digest="", snapshot_digests=(), parts=(PartOffer(label="x", candidates=CANDIDATES),))
NOTHING = Offer(requirements_digest="", snapshot_digests=(), parts=(PartOffer(label="x", candidates=()),))
PROPOSAL = Proposal(made_by="rule", picks=(Pick(label="x", candidate="a"),))
MANIFEST = Manifest(requester="ops", made_by="rule", parts=(), snapshot_digests=())
CLEAN = Review(manifest_digest=MANIFEST.digest)
ERROR = fault("name.twice", name="s").finding("c", "x", "s")
FAULTY = Review(manifest_digest=MANIFEST.digest, findings=(ERROR,))


def run(run_id: str, status: RunStatus) -> Run:
    return Run(id=run_id, plan_digest="0" * 64, status=status)


def plan(kind: PlanKind, run_id: str = OWN) -> Plan:
    return Plan(
        run_id=run_id,
        conversation="talk",
        kind=kind,
        requester="ops",
        manifest_digest="",
        review_digest="",
        snapshot_digests=(),
        policy_version="",
        parts=(),
        estimate=Estimate(),
        made_at=NOW,
        expires_at=NOW,
    )


def conversations(phase: Phase) -> Iterator[Conversation]:
    """What a conversation may be in this phase: with and without a run, of either end, at every point of drafting."""
    bare = Conversation(phase=phase, request=Request() if phase is Phase.LISTENING else REQUEST)
    of_runs: dict[Phase, tuple[RunStatus | None, ...]] = {
        Phase.LISTENING: (None,),
        Phase.RUNNING: ("running",),
        Phase.DONE: ("done",),
        Phase.STOPPED: ("stopped",),
    }
    for status in of_runs.get(phase, (None, "done", "stopped")):
        now = replace(bare, run_id=OWN if status else None, run_status=status)
        if phase is Phase.DRAFTING:
            offered = replace(now, requirements=COMPLETE, snapshots={}, offer=OFFER, proposal=PROPOSAL)
            yield from (
                offered,
                replace(offered, manifest=MANIFEST, review=FAULTY),
                replace(offered, manifest=MANIFEST, review=CLEAN),
            )
        elif phase is Phase.AWAITING:
            for kind in get_args(PlanKind):
                awaiting = replace(now, requirements=COMPLETE, plan_digest=plan(kind).digest, plan_kind=kind)
                yield from (awaiting, *_with_history(awaiting))
        elif phase is Phase.ASKING:
            yield replace(now, requirements=OPEN, doubts=(DOUBT,))
        yield from _with_history(now) if phase is not Phase.AWAITING else ()
        if phase not in (Phase.DRAFTING, Phase.AWAITING):
            yield now


def _with_history(now: Conversation) -> Iterator[Conversation]:
    """What can be undone and done again: to another request, to none, and to what a run has made. Nothing once a run has begun."""
    if now.phase is Phase.DONE:
        yield replace(now, request_built=REQUEST, ahead=(OTHERWISE,))
    if now.phase not in (Phase.RUNNING, Phase.DONE, Phase.STOPPED):
        edited = replace(now, request=Request(shared=REQUEST.items[0].facts), request_built=REQUEST if now.run_id else None)
        for before in (OTHERWISE, Request(), REQUEST):
            yield from (replace(edited, history=(before,)), replace(edited, ahead=(before,)))


def happenings() -> Iterator[tuple[str, Happened]]:
    """Everything that can happen to a conversation, by the words that the diagram has for it."""
    for intent in Intent:
        yield WORDS.get(intent, intent.value), Message(intent, "the text")
        yield WORDS.get(intent, intent.value), Message(intent, "the text", subject=OTHER)
    yield "a reading", Message(Intent.WORDS, "1")
    yield "a new request", Said("a y", ADDED, offline=False)
    yield "a change", Said("2 cores", CHANGE, offline=True)
    for anew in (False, True):
        yield "everything is known", Understood(CHANGE, OTHERWISE, (), COMPLETE, anew)
        yield "something is missing", Understood(CHANGE, OTHERWISE, (), OPEN, anew)
        yield "nothing is left", Understood(CHANGE, Request(), (), NONE, anew)
    yield "offered", Offered({}, OFFER)
    yield "nothing fits", Offered({}, NOTHING)
    yield "proposed", Proposed(PROPOSAL)
    yield "proposed", Proposed(None)
    yield "drafted", Drafted(MANIFEST, CLEAN, 3)
    yield "drafted", Drafted(MANIFEST, FAULTY, 3)
    yield "judged", Judged(refused=False, rounds_max=3)
    yield "judged", Judged(refused=True, rounds_max=0)
    yield "no pick passes the review", Countered("Say 2 cores.")
    for kind in get_args(PlanKind):
        yield "its removal is planned" if kind == "remove" else "the plan is made", Planned(plan(kind))
        yield "approved, other roles still missing", Approved(plan(kind), ("vp",))
        yield "approved", Approved(plan(kind), ())
        yield "approved by every role", Started(plan(kind))
    yield "the way back is planned", Planned(plan("change"), back_to=(MANIFEST, CLEAN))
    yield "the world was away", Failed("remove it")
    yield "approved by every role", Started(plan("create", OTHER))
    for run_id in (OWN, OTHER):
        yield "follow another run", Found(run(run_id, "running"))
        for status in get_args(RunStatus):
            yield status, Ended(run(run_id, status), 7)
            yield status, Seen(run(run_id, status) if run_id == OWN else None, None)


def edges() -> dict[tuple[Phase, Phase], tuple[str, ...]]:
    """What leads from one phase to another, by both."""
    found: dict[tuple[Phase, Phase], dict[str, None]] = {}
    for phase in Phase:
        for now in conversations(phase):
            for words, happened in happenings():
                after = step(now, happened)[0].phase
                if after is not phase:
                    found.setdefault((phase, after), {})[words] = None
    return {both: tuple(words) for both, words in found.items()}


def diagram() -> str:
    """As Mermaid. What leaves the phase as it is, is not drawn."""
    names = {phase: phase.value.replace(" ", "_") for phase in Phase}
    lines = [f"    {names[before]} --> {names[after]}: {', '.join(words)}" for (before, after), words in edges().items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {names[Phase.LISTENING]}", *lines])


if __name__ == "__main__":
    print(diagram())
