"""What the operator is told: the name of a text and the values it is made of, so that a front end may show the values its own way.

`rendering.draw` makes the text of a template under `texts/`, in Markdown with tables and Mermaid; in a terminal it stays readable. Nothing
is
decided here, and no model's prose is told except the reasons it gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tools.rules.hearing.assignment.thing import SHARED
from tools.rules.names.text import is_latin
from tools.rules.plans.approving import OPERATOR, reply
from tools.rules.plans.card import Before, card_of
from tools.rules.request.comparing import Difference
from tools.rules.words.answering import Past
from tools.rules.words.rendering import DIGEST_SHOWN
from tools.values.act import Reconciled
from tools.values.conversation import Phase, PlanKind
from tools.values.effects import Tell
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Sum
from tools.values.plan import Change, Plan, Swing
from tools.values.request import Doubt, Edit, Request
from tools.values.requirements import Missing, Needs, Requirements
from tools.values.review import Review
from tools.values.run import Progress, Run
from tools.values.snapshot import Snapshot
from tools.values.trouble import Trouble
from tools.values.wanted import Wanted

EMPTY = Tell("empty")
OFFLINE = Tell("offline")
UNREADABLE = Tell("unreadable")
NO_RUN = Tell("no_run")
RUN_UNDER_WAY = Tell("run_under_way")
RUN_STOPPED = Tell("run_stopped")
NOTHING_TO_APPROVE = Tell("nothing_to_approve")
NOTHING_TO_CANCEL = Tell("nothing_to_cancel")
NOTHING_TO_RETRY = Tell("nothing_to_retry")
NOTHING_TO_REMOVE = Tell("nothing_to_remove")
NOTHING_TO_LEAVE = Tell("nothing_to_leave")
CANCELLING = Tell("cancelling")
CANCELLED = Tell("cancelled")
DROPPED = Tell("dropped")
RETRYING = Tell("retrying")
PLANNING = Tell("planning")
NO_PLAN = Tell("no_plan")
NOTHING_TO_UNDO = Tell("nothing_to_undo")
NOTHING_TO_REDO = Tell("nothing_to_redo")
DOUBTS_DROPPED = Tell("doubts_dropped")
GOING_BACK = Tell("going_back")
ONE_RUN_AT_A_TIME = Tell("one_run_at_a_time")
RECONCILED_SHOWN_MAX = 20


class Known(Protocol):
    """What is told of a capability."""

    TITLE: str
    EXAMPLES: tuple[str, ...]
    WANTED: tuple[Wanted, ...]

    @property
    def ON(self) -> Mapping[Any, object]:
        """By the name of each platform that it can stand on."""


def too_long(bytes_max: int) -> Tell:
    return _text("request.too_long", bytes_max)


def help_text(capabilities: Sequence[Known]) -> Tell:
    return _text("request.help", capabilities)


def greeting(capabilities: Sequence[Known]) -> Tell:
    return _text("request.greeting", len(capabilities), _example(capabilities))


def not_heard(words: str, capabilities: Sequence[Known]) -> Tell:
    return _text("request.not_heard", words, len(capabilities), _example(capabilities), is_latin(words))


def _example(capabilities: Sequence[Known]) -> str:
    """Of the service that stands on most platforms, so that it can be tried anywhere."""
    return max(capabilities, key=lambda one: len(one.ON)).EXAMPLES[0]


def not_heard_here(words: str) -> Tell:
    """In a conversation about something."""
    return _text("request.not_heard_here", words, is_latin(words))


def requirements(needed: Requirements, not_used: Sequence[str]) -> Tell:
    """With the phrases of the last message that no field is for."""
    return _text("request.requirements", needed, not_used)


def ignored(not_used: Sequence[str]) -> Tell:
    return _text("request.unheard", not_used)


def questions(needed: Requirements, not_used: Sequence[str], in_file: bool = False) -> Tell:
    """One message for everything that is missing or cannot be taken."""
    return _text("request.questions", needed, _asked(needed), not_used, in_file)


def too_little_known(needed: Requirements) -> Tell:
    """A question that cannot be answered before these are."""
    return _text("answers.too_little_known", needed, _asked(needed))


def _asked(needed: Requirements) -> list[tuple[list[str], Missing]]:
    """What is said once for all is asked once."""
    asked: dict[tuple[str, Missing], list[str]] = {}
    for part in needed.parts:
        for missing in part.missing:
            asked.setdefault(("" if missing.name in SHARED else part.label, missing), []).append(part.label)
    return [(labels, missing) for (_, missing), labels in asked.items()]


def refused(edits: Sequence[tuple[Edit, str]]) -> Tell:
    """Edits that were not made, each with its reason."""
    return _text("edits.refused", edits)


def taken(words: Sequence[tuple[str, str]]) -> Tell:
    """(words, the service that a model takes them for)"""
    return _text("edits.taken", words)


def changed(found: Sequence[Difference]) -> Tell:
    """What the last message made different."""
    return _text("edits.changed", found)


def undone(found: Sequence[Difference], back: bool) -> Tell:
    """What is different now; `back`: it was undone, else done again."""
    return _text("edits.undone", found, back)


def doubts(open_: Sequence[Doubt]) -> Tell:
    """What was understood in several ways, each way with its number."""
    return _text("edits.doubts", open_)


def left_out(parts: Sequence[Needs]) -> Tell:
    """Parts that cannot be planned as they are, while the others are."""
    return _text("edits.left_out", parts)


def noted(asked_for: Request) -> Tell:
    """Of a request that asks for no thing yet."""
    return _text("edits.noted", asked_for)


def request(asked_for: Request, open_: Sequence[Doubt]) -> Tell:
    return _text("edits.request", asked_for, open_)


def nothing_changes(not_used: Sequence[str]) -> Tell:
    return _text("edits.nothing_changes", not_used)


def snapshot(seen: Snapshot) -> Tell:
    return _text("choice.snapshot", seen)


def nothing_fits(offered: Offer) -> Tell:
    return _text("choice.nothing_fits", offered)


def chosen(made: Manifest) -> Tell:
    """By a model: what a rule chooses stands in the plan."""
    return _text("choice.chosen", made)


def review(judged: Review) -> Tell:
    return _text("choice.review", judged)


def refinement(made: Manifest, rounds: int) -> Tell:
    return _text("choice.refinement", made, rounds)


def settled_by_rule(made: Manifest) -> Tell:
    return _text("choice.settled_by_rule", made)


def refinement_dropped(rounds: int) -> Tell:
    return _text("choice.refinement_dropped", rounds)


def not_clean(judged: Review, offered: Offer, rounds: int, instead: str = "") -> Tell:
    return _text("choice.not_clean", judged, (instead, *(part.counter_offer for part in offered.parts)), rounds)


def plan(
    made: Plan,
    composed: Manifest | None,
    judged: Review | None,
    not_included: Sequence[str] = (),
    before: Before | None = None,
    swings: Sequence[Swing] = (),
) -> Tell:
    """The card of a plan, built by code from terraform's own. `before`: what was planned or built until now."""
    card = card_of(made, composed, judged, not_included, before, swings)
    return _text("plan.plan", made, card, _replies(made, [role for role, _ in made.approvals]))


def details(made: Plan, composed: Manifest, judged: Review) -> Tell:
    """Everything that the approval covers."""
    return _text("plan.details", made, composed, _sums(composed), judged)


def arithmetic(composed: Manifest) -> Tell:
    return _text("plan.arithmetic", _sums(composed))


def resources(composed: Manifest) -> Tell:
    return _text("plan.resources", composed)


def why(composed: Manifest, offered: Offer | None) -> Tell:
    """Sizes with their sources, the ranking with its reasons."""
    return _text("plan.why", composed, offered)


def approve_how(digest: str) -> Tell:
    return _text("plan.approve_how", digest)


def approved(made: Plan) -> Tell:
    return _text("plan.approved", made)


def approved_partly(made: Plan, missing_roles: Sequence[str]) -> Tell:
    return _text("plan.approved_partly", missing_roles, [reply(made.digest[:DIGEST_SHOWN], role) for role in missing_roles])


def trouble(met: Trouble, nothing_is_lost: bool = False, again: bool = False) -> Tell:
    return _text("run.trouble", met, nothing_is_lost, again)


def progress(line: Progress) -> Tell:
    return _text("run.progress", line)


def done(ran: Run, guide: str) -> Tell:
    return _text("run.done", ran, guide)


def guide(text: str) -> Tell:
    """All of it."""
    return _text("run.guide", text)


def removed(ran: Run) -> Tell:
    return _text("run.removed", ran)


def left(run_id: str, half_made: Sequence[str] = ()) -> Tell:
    return _text("run.left", run_id, half_made)


def stopped(ran: Run, kind: PlanKind = "create") -> Tell:
    return _text("run.stopped", ran, kind)


def status(phase: Phase, plan_digest: str | None) -> Tell:
    return _text("run.status", phase, plan_digest)


def run(ran: Run, off: Sequence[str] = ()) -> Tell:
    """`off`: sentences about what does not run now."""
    return _text("run.run", ran, off)


def drift(run_id: str, found: Sequence[tuple[str, Sequence[Change]]]) -> Tell:
    """By part, what is otherwise than it was made."""
    return _text("run.drift", run_id, found)


def reconciled(found: Reconciled, all_of_them: bool = False) -> Tell:
    return _text("run.reconciled", found, found.found if all_of_them else found.found[-RECONCILED_SHOWN_MAX:])


def runs(all_runs: Sequence[Run], past: Sequence[Past]) -> Tell:
    """What each made, where, when and for whom; of one that cannot be read there is no more than its status."""
    return _text("run.runs", all_runs, {one.run.id: one for one in past})


def waiting(plans: Sequence[tuple[Plan, Manifest, tuple[str, ...], str | None]]) -> Tell:
    """What somebody may approve, each with what they would reply: their roles, else what takes it up here; "" where only another
    conversation may."""
    each = []
    for made, composed, roles, instead in plans:
        digest = made.digest[:DIGEST_SHOWN]
        alone = tuple(role for role, _ in made.approvals) == (OPERATOR,)
        replies = (f"approve {digest}",) if alone else tuple(reply(digest, role) for role in roles)
        each.append((made, composed, replies if instead is None else tuple(filter(None, [instead])), instead is not None))
    return _text("plan.waiting", each)


def _text(name: str, *values: object) -> Tell:
    return Tell(name, values)


def _replies(made: Plan, roles: Sequence[str]) -> tuple[str, ...]:
    """What is typed to approve: one reply a role, and no role where only one is asked."""
    digest = made.digest[:DIGEST_SHOWN]
    return (f"approve {digest}",) if list(roles) == [OPERATOR] else tuple(reply(digest, role) for role in roles)


def _sums(composed: Manifest) -> tuple[Sum, ...]:
    """The arithmetic of what was chosen; none where an older Berth made it. A later part counts those before it: of one node its sum is the
    whole one."""
    return tuple({(line.subject, line.limit): line for part in composed.parts for line in part.sums}.values())


def notice_waits(plan: Plan, roles: Sequence[str]) -> Tell:
    return Tell("notices.waits", (plan, plan.digest[:DIGEST_SHOWN], tuple(roles)))


def notice_ended(run: Run, requester: str) -> Tell:
    return Tell("notices.ended", (run, requester, next((step for step in run.steps if step.status == "failed"), None)))
