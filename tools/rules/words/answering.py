"""Which text tells what. The reducer says what is told and of which values; `telling` has the words."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.words import telling
from tools.rules.words.conversation import MESSAGE_BYTES_MAX
from tools.rules.words.rendering import labels
from tools.values.conversation import Reply, Tell


def answer(tell: Tell, capabilities: Sequence[telling.Known]) -> str:
    return labels()["sentences"].get(tell.reply) or _of_request(tell, capabilities) or _of_draft(tell) or _of_run(tell)


def _of_request(tell: Tell, capabilities: Sequence[telling.Known]) -> str:
    of = tell.of
    match tell.reply:
        case Reply.TOO_LONG:
            return telling.too_long(MESSAGE_BYTES_MAX)
        case Reply.HELP:
            return telling.help_text(capabilities)
        case Reply.NOT_HEARD:
            return telling.not_heard(tell.words[0], capabilities)
        case Reply.ANSWER:
            return telling.answer(tell.words[0], of.offer, of.manifest, of.review)
        case Reply.ONE_PLAN if of.plan_digest:
            return telling.one_plan_at_a_time(of.plan_digest)
        case Reply.STATUS:
            return telling.status(of.phase, of.plan_digest)
        case Reply.APPROVE_HOW if of.plan_digest:
            return telling.approve_how(of.plan_digest)
        case Reply.QUESTIONS if of.requirements:
            return telling.questions(of.requirements) + telling.unheard(tell.words)
        case Reply.REQUIREMENTS if of.requirements:
            return telling.requirements(of.requirements) + telling.unheard(tell.words)
    return ""


def _of_draft(tell: Tell) -> str:
    of = tell.of
    match tell.reply:
        case Reply.OFFER if of.offer:
            return telling.offer(of.offer)
        case Reply.NOTHING_FITS if of.offer:
            return telling.nothing_fits(of.offer)
        case Reply.MANIFEST if of.manifest:
            return telling.manifest(of.manifest)
        case Reply.REVIEW if of.review:
            return telling.review(of.review)
        case Reply.REFINEMENT if of.manifest:
            return telling.refinement(of.manifest, of.rounds)
        case Reply.REFINEMENT_DROPPED:
            return telling.refinement_dropped(of.rounds)
        case Reply.SETTLED_BY_RULE if of.manifest:
            return telling.settled_by_rule(of.manifest)
        case Reply.NOT_CLEAN if of.review and of.offer:
            return telling.not_clean(of.review, of.offer, of.rounds, *tell.words)
    return ""


def _of_run(tell: Tell) -> str:
    of, plan, run = tell.of, tell.plan, tell.run
    match tell.reply:
        case Reply.PLAN if plan:
            return telling.plan(plan, of.manifest if plan.kind != "remove" else None, of.offer, of.review)
        case Reply.APPROVED if plan:
            return telling.approved(plan, plan.run_id)
        case Reply.APPROVED_PARTLY if plan:
            return telling.approved_partly(plan, tell.words)
        case Reply.DONE if run:
            return telling.done(run, *tell.words)
        case Reply.REMOVED if run:
            return telling.removed(run)
        case Reply.STOPPED if run:
            return telling.stopped(run)
    raise AssertionError(tell.reply)
