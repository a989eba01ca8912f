"""Reads what a message is, and answers the ones that are commands: approve, cancel, retry, status, list, help and so on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event

from tools.capabilities import catalogue
from tools.rules.words import telling
from tools.rules.words.conversation import MESSAGE_BYTES_MAX, Kind, Phase
from tools.rules.words.conversation import Event as Happened
from tools.values.trouble import RequestProblem, Trouble

from .. import pipeline
from ..handoff.planner import show
from ..stage import Say, Stage, says
from ..state import Turn, begin
from ..world import may_apply


class Reader(Stage):
    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        try:
            await asyncio.to_thread(begin, ctx)
            # Here and not where the engine starts: a worker thread cannot hear Ctrl-C, and by now the front end has its own handler.
            pipeline.engine.hear_ctrl_c()
        except Trouble as trouble:  # the settings or the ledger: nothing can be done before that is mended
            yield says(self.name, ctx, str(trouble))
            return
        async for event in super()._run_async_impl(ctx):
            yield event

    def wanted(self, turn: Turn) -> bool:
        return True

    def work(self, turn: Turn, say: Say) -> str:
        _catch_up(turn)
        if turn.message.kind is Kind.CANCEL and _answers_the_key(turn):
            turn.message = turn.message.model_copy(update={"kind": Kind.WORDS})
        if turn.message.kind is Kind.WORDS:
            return ""
        turn.handled = True
        return _ANSWERS[turn.message.kind](turn, say)


def _catch_up(turn: Turn) -> None:
    """The ledger is the record of truth: a run goes on while nobody is looking."""
    chain, world = turn.chain, turn.world
    if chain.phase is Phase.RUNNING and chain.run_id:
        status = pipeline.carry_out.run_of(world, chain.run_id).status
        if status in ("done", "removed"):
            chain.move(Happened.FINISHED)
        elif status == "stopped":
            chain.move(Happened.FAILED)


def _answers_the_key(turn: Turn) -> bool:
    """`no` to the one question which key should open the machine says that none should."""
    asked = {name for _, name in turn.chain.asked}
    return turn.chain.phase is Phase.ASKING and asked == {"public_key"} and turn.message.text.strip().lower().rstrip(".!") == "no"


def _empty(turn: Turn, say: Say) -> str:
    return telling.EMPTY


def _too_long(turn: Turn, say: Say) -> str:
    return telling.too_long(MESSAGE_BYTES_MAX)


def _help(turn: Turn, say: Say) -> str:
    return telling.help_text(tuple(catalogue().values()))


def _list(turn: Turn, say: Say) -> str:
    return telling.runs(pipeline.carry_out.runs(turn.world))


def _status(turn: Turn, say: Say) -> str:
    run_id = turn.message.subject or turn.chain.run_id
    if turn.chain.phase is Phase.AWAITING and turn.chain.plan_digest and not turn.message.subject:
        pipeline.carry_out.assert_may_be_approved(turn.world, turn.chain.plan_digest)
        return telling.status(turn.chain.phase, turn.chain.plan_digest)
    if run_id is None:
        return telling.status(turn.chain.phase, turn.chain.plan_digest)
    return telling.run(pipeline.carry_out.run_of(turn.world, run_id))


def _follow(turn: Turn, say: Say) -> str:
    if turn.message.subject:
        turn.chain.run_id = pipeline.carry_out.run_of(turn.world, turn.message.subject).id
        turn.chain.phase = Phase.RUNNING
    if turn.chain.run_id is None:
        return telling.NO_RUN
    turn.handled = False
    return ""


def _approve_what(turn: Turn, say: Say) -> str:
    if turn.chain.phase is Phase.AWAITING and turn.chain.plan_digest:
        pipeline.carry_out.assert_may_be_approved(turn.world, turn.chain.plan_digest)
        return telling.approve_how(turn.chain.plan_digest)
    return telling.NOTHING_TO_APPROVE


def _approve(turn: Turn, say: Say) -> str:
    chain, message = turn.chain, turn.message
    if not may_apply():
        raise RequestProblem(
            telling.READ_ONLY,
            "This server listens beyond loopback without a gate, so it may read and plan, never apply.",
            telling.READ_ONLY_NEXT,
        )
    approved = pipeline.carry_out.approve(
        turn.world,
        turn.conversation,
        message.digest_typed,
        turn.requester,
        message.text,
        role=message.role or None,
        override_reason=message.reason,
    )
    if approved.missing_roles:
        chain.move(Happened.APPROVED_PARTLY)
        return telling.approved_partly(approved.plan, approved.missing_roles)
    chain.run_id = pipeline.carry_out.start(turn.world, approved.plan.digest)
    chain.move(Happened.APPROVED)
    turn.handled = False
    return telling.approved(approved.plan, chain.run_id)


def _cancel(turn: Turn, say: Say) -> str:
    chain = turn.chain
    if chain.phase is Phase.RUNNING and chain.run_id:
        pipeline.carry_out.cancel(turn.world, chain.run_id)
        return telling.CANCELLING
    had_plan = chain.plan_digest is not None
    if chain.plan_digest:
        pipeline.carry_out.void(turn.world, chain.plan_digest)
    if not chain.move(Happened.CANCELLED):
        return telling.NOTHING_TO_CANCEL
    before = chain.heard_built or chain.heard
    chain.forget_from("heard")
    chain.asked = ()
    if chain.run_id is not None:
        # What was built is still there, and can still be changed or removed.
        stopped = pipeline.carry_out.run_of(turn.world, chain.run_id).status == "stopped"
        chain.phase, chain.heard, chain.changing = Phase.STOPPED if stopped else Phase.DONE, before, False
    else:
        chain.typed = ()
    return telling.CANCELLED if had_plan else telling.DROPPED


def _retry(turn: Turn, say: Say) -> str:
    chain = turn.chain
    if chain.phase is Phase.STOPPED and chain.run_id:
        pipeline.carry_out.retry(turn.world, chain.run_id)
        chain.move(Happened.RETRIED)
        turn.handled = False
        return telling.RETRYING
    if chain.phase is Phase.AWAITING and chain.plan_digest:
        if turn.world.ledger.plans.kept(chain.plan_digest).plan.kind == "remove":
            return _removal(turn, say, Happened.REMOVAL)
        # The world is looked at again: an old plan is of no use once it has expired.
        pipeline.carry_out.void(turn.world, chain.plan_digest)
        chain.move(Happened.RETRIED)
    if chain.requirements is not None and chain.requirements.complete and chain.phase is Phase.DRAFTING:
        chain.forget_from("snapshots")
        turn.handled = False
        return telling.RETRYING
    return telling.NOTHING_TO_RETRY


def _roll_back(turn: Turn, say: Say) -> str:
    return _removal(turn, say, Happened.ROLLED_BACK)


def _remove(turn: Turn, say: Say) -> str:
    return _removal(turn, say, Happened.REMOVAL)


def _removal(turn: Turn, say: Say, event: Happened) -> str:
    chain = turn.chain
    run_id = turn.message.subject or chain.run_id
    if run_id is None:
        return telling.NOTHING_TO_REMOVE
    if chain.phase is Phase.RUNNING:
        return telling.RUN_UNDER_WAY
    run = pipeline.carry_out.run_of(turn.world, run_id)
    plan = pipeline.prepare.prepare_removal(turn.world, turn.conversation, run.id, turn.requester, say=say)
    chain.run_id = run.id
    chain.plan_digest = plan.digest
    chain.phase = Phase.AWAITING
    return show(turn, plan)


def _leave(turn: Turn, say: Say) -> str:
    if turn.chain.phase is not Phase.STOPPED or not turn.chain.run_id:
        return telling.NOTHING_TO_LEAVE
    pipeline.carry_out.leave(turn.world, turn.chain.run_id)
    turn.chain.move(Happened.LEFT)
    half_made = [line.text for line in turn.world.ledger.runs.lines(turn.chain.run_id) if line.step == "leave"]
    return telling.left(turn.chain.run_id, half_made)


_ANSWERS: dict[Kind, Callable[[Turn, Say], str]] = {
    Kind.EMPTY: _empty,
    Kind.TOO_LONG: _too_long,
    Kind.HELP: _help,
    Kind.LIST: _list,
    Kind.STATUS: _status,
    Kind.FOLLOW: _follow,
    Kind.APPROVE: _approve,
    Kind.APPROVE_WHAT: _approve_what,
    Kind.CANCEL: _cancel,
    Kind.RETRY: _retry,
    Kind.ROLL_BACK: _roll_back,
    Kind.REMOVE: _remove,
    Kind.LEAVE: _leave,
}
