"""What the operator is told: values in, a text out. The texts are templates under `texts/`; nothing is decided here, and no model's prose is
among them except the reasons it gave.

The web UI renders Markdown, tables and Mermaid; a terminal shows the same text, which stays readable there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tools.rules.plans.approving import reply
from tools.rules.words.rendering import DIGEST_SHOWN, labels, text
from tools.values.conversation import Phase
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Sum
from tools.values.plan import Plan
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.run import Progress, Run
from tools.values.snapshot import Snapshot
from tools.values.wanted import Wanted

READ_ONLY = labels()["sentences"]["read_only"]
READ_ONLY_NEXT = labels()["sentences"]["read_only_next"]


class Known(Protocol):
    """What is told of a capability."""

    TITLE: str
    EXAMPLES: tuple[str, ...]
    WANTED: tuple[Wanted, ...]


def one_plan_at_a_time(plan_digest: str) -> str:
    return text("request.one_plan_at_a_time", plan_digest)


def too_long(bytes_max: int) -> str:
    return text("request.too_long", bytes_max)


def help_text(capabilities: Sequence[Known]) -> str:
    return text("request.help", capabilities)


def not_heard(words: str, capabilities: Sequence[Known]) -> str:
    return text("request.not_heard", words, capabilities)


def requirements(needed: Requirements) -> str:
    return text("request.requirements", needed)


def unheard(phrases: Sequence[str]) -> str:
    """Of the message that was just heard, to stand below another text; empty when every word was of use."""
    return "\n\n" + text("request.unheard", phrases) if phrases else ""


def questions(needed: Requirements) -> str:
    """One message for everything that is missing or cannot be taken."""
    return text("request.questions", needed)


def snapshot(seen: Snapshot) -> str:
    return text("choice.snapshot", seen)


def offer(offered: Offer) -> str:
    return text("choice.offer", offered)


def nothing_fits(offered: Offer) -> str:
    return text("choice.nothing_fits", offered)


def manifest(made: Manifest) -> str:
    return text("choice.manifest", made)


def review(judged: Review) -> str:
    return text("choice.review", judged)


def refinement(made: Manifest, rounds: int) -> str:
    return text("choice.refinement", made, rounds)


def settled_by_rule(made: Manifest) -> str:
    return text("choice.settled_by_rule", made)


def refinement_dropped(rounds: int) -> str:
    return text("choice.refinement_dropped", rounds)


def not_clean(judged: Review, offered: Offer, rounds: int, instead: str = "") -> str:
    return text("choice.not_clean", judged, (instead, *(part.counter_offer for part in offered.parts)), rounds)


def plan(made: Plan, composed: Manifest | None, offered: Offer | None, judged: Review | None) -> str:
    """Everything that the approval covers, built by code from terraform's own plan."""
    return text(
        "plan.plan", made, composed, _sums(composed, offered), judged, _replies(made, [role for role, _ in made.approvals])
    )


def approve_how(digest: str) -> str:
    return text("plan.approve_how", digest)


def approved(made: Plan, run_id: str) -> str:
    return text("plan.approved", made, run_id)


def approved_partly(made: Plan, missing_roles: Sequence[str]) -> str:
    return text("plan.approved_partly", missing_roles, [reply(made.digest[:DIGEST_SHOWN], role) for role in missing_roles])


def answer(question: str, offered: Offer | None, composed: Manifest | None, judged: Review | None) -> str:
    """What the values themselves say to a question: sizes with their sources, the ranking with its reasons, the arithmetic."""
    return text("plan.answer", composed, offered, _sums(composed, offered), judged)


def progress(line: Progress) -> str:
    return text("run.progress", line)


def done(ran: Run, guide: str) -> str:
    return text("run.done", ran, guide)


def removed(ran: Run) -> str:
    return text("run.removed", ran)


def left(run_id: str, half_made: Sequence[str] = ()) -> str:
    return text("run.left", run_id, half_made)


def stopped(ran: Run) -> str:
    return text("run.stopped", ran)


def status(phase: Phase, plan_digest: str | None) -> str:
    return text("run.status", phase, plan_digest)


def run(ran: Run) -> str:
    return text("run.run", ran)


def runs(all_runs: Sequence[Run]) -> str:
    return text("run.runs", all_runs)


def _replies(made: Plan, roles: Sequence[str]) -> tuple[str, ...]:
    """What is typed to approve: one reply a role, and no role where only one is asked."""
    digest = made.digest[:DIGEST_SHOWN]
    return (f"approve {digest}",) if len(roles) == 1 else tuple(reply(digest, role) for role in roles)


def _sums(composed: Manifest | None, offered: Offer | None) -> tuple[Sum, ...] | None:
    """The arithmetic of what was chosen; None when the offer is not at hand."""
    if composed is None or offered is None:
        return None
    pairs = zip(composed.parts, offered.parts, strict=False)
    chosen = (next((c for c in part_offer.candidates if c.id == part.candidate), None) for part, part_offer in pairs)
    return tuple(line for candidate in chosen if candidate for line in candidate.sums)
