"""What comes of drafting in a conversation: an offer, a pick, a manifest that is judged and refined, and the plan. A part of
tools.rules.words.reducer, and pure as it is."""

from __future__ import annotations

from dataclasses import replace

from tools.rules.plans.picking import BY_RULE, failed_picks, pick_by_rule
from tools.rules.plans.reviewing import ratchet
from tools.rules.words import telling
from tools.rules.words.runs import Stepped, forget_run
from tools.values import effects, events
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Work
from tools.values.request import Edits, Wish
from tools.values.review import Severity

WATCHED = "monitoring"
"""The wish that is fulfilled by whatever watches an item."""


def draft(now: Conversation, happened: events.Offered | events.Proposed | events.Drafted | events.Judged | events.Countered) -> Stepped:
    match happened:
        case events.Offered(snapshots, offer):
            offered = replace(now, snapshots=snapshots, offer=offer)
            if all(part.candidates for part in offer.parts):
                return offered, (Work.PROPOSE,)
            unfit = ((part.label, one.subject) for part in offer.parts if not part.candidates for one in part.exclusions)
            return _ask_again(offered, telling.nothing_fits(offer), tuple((label, subject.split(" ")[0]) for label, subject in unfit))
        case events.Proposed(proposal) if now.offer is not None:
            proposal = proposal or pick_by_rule(now.offer, now.tried)
            return (replace(now, proposal=proposal), (Work.DRAFT,)) if proposal else (now, (Work.COUNTER,))
        case events.Drafted():
            return _compare(replace(now, parent_digest=happened.manifest.digest), happened)
        case events.Judged():
            return _judge(now, happened)
        case events.Countered(instead) if now.review is not None and now.offer is not None:
            faults = ((one.part, one.kind.partition(".")[0]) for one in now.review.findings if one.severity is Severity.ERROR)
            return _ask_again(now, telling.not_clean(now.review, now.offer, now.rounds, instead), tuple(faults))
        case _:
            return now, ()


def _ask_again(now: Conversation, tell: effects.Tell, about: tuple[tuple[str, str], ...]) -> Stepped:
    """`about`: (label, what it is that cannot be as it was said), which begins as the fact is called: `network 99`, `address.unfit`."""
    return replace(now.without("snapshots"), phase=Phase.ASKING, asked=tuple(dict.fromkeys(about))), (tell,)


def _compare(now: Conversation, drafted: events.Drafted) -> Stepped:
    """A refined manifest is kept only if no check that held before fails now."""
    after = replace(now, manifest=drafted.manifest, review=drafted.review)
    if now.manifest is None or now.review is None:
        told = () if drafted.manifest.made_by == BY_RULE else (telling.chosen(drafted.manifest),)
        return after, (*told, Work.JUDGE)
    after = replace(after, rounds=now.rounds + 1)
    if not drafted.review.clean and not ratchet(now.review, drafted.review):
        after = replace(after, manifest=now.manifest, review=now.review)
        return after, (telling.refinement_dropped(after.rounds), Work.JUDGE)
    if after.rounds > drafted.rounds_max:
        return after, (telling.settled_by_rule(drafted.manifest), Work.JUDGE)
    return after, (telling.refinement(drafted.manifest, after.rounds), Work.JUDGE)


def _judge(now: Conversation, judged: events.Judged) -> Stepped:
    """Clean, or another round, or what would pass instead."""
    if now.review is None or now.manifest is None or now.offer is None:
        return now, ()
    if now.review.clean:
        return now, (telling.PLANNING, Work.PLAN)
    failed = failed_picks(now.proposal, now.review) if now.proposal else ()
    tried = tuple(dict.fromkeys((*now.tried, *failed)))
    best_left = pick_by_rule(now.offer, tried)
    # One round more than the model has: that one is the rules'. None at all when the policy refuses what was asked for itself.
    if judged.refused or now.rounds > judged.rounds_max or best_left is None:
        return now, (Work.COUNTER,)
    if now.rounds < judged.rounds_max:
        return replace(now, tried=tried, proposal=None), (telling.review(now.review), Work.REFINE)
    return replace(now, tried=tried, proposal=best_left), (telling.review(now.review), Work.DRAFT)


def ungranted(now: Conversation) -> tuple[Wish, ...]:
    """What nothing that is planned fulfils."""
    granted = {field.name for part in (now.requirements.parts if now.requirements else ()) for field in part.fields}
    watched = {part.label for part in (now.manifest.parts if now.manifest else ()) if part.watched_by}
    return tuple(
        wish
        for wish in now.request.wishes
        if wish.kind not in granted and not (wish.kind == WATCHED and watched and wish.item in ("", *watched))
    )


def plan(now: Conversation, planned: events.Planned) -> Stepped:
    plan, back_to = planned.plan, planned.back_to
    if back_to is not None and now.phase is not Phase.RUNNING:
        now = now if plan.run_id == now.run_id else replace(forget_run(now), run_id=plan.run_id)
        now = replace(now, going_back=True, led_back=planned.parts)
        after = replace(now, phase=Phase.AWAITING, plan_digest=plan.digest, plan_kind=plan.kind)
        return after, (telling.GOING_BACK, telling.plan(plan, *back_to, before=planned.before))
    now = replace(now, going_back=False, led_back=())
    if now.phase is Phase.RUNNING or (plan.kind != "remove" and now.phase is not Phase.DRAFTING):
        return now, ()
    after = replace(now, phase=Phase.AWAITING, plan_digest=plan.digest, plan_kind=plan.kind)
    if plan.kind == "remove":
        after = replace(after, run_id=plan.run_id)
    else:
        after = replace(after, plan_shown=plan.digest)
    not_included = (*(wish.text for wish in ungranted(now)), *now.not_used)
    told = telling.plan(plan, now.manifest, now.review, not_included, planned.before, planned.swings)
    answered = (effects.Answer(now.question, Edits()),) if now.question else ()
    return replace(after, question=""), (told, *answered)
