"""Berth as another program uses it: a message in, a value out. The rules read the message and choose, as they do without a model, and it
goes as far as a plan. A person approves: nothing here can, and a message that approves, starts, stops or takes down is not taken.
"""

from __future__ import annotations

import secrets

from tools.capabilities import catalogue
from tools.pipeline import carry_out
from tools.pipeline.requests import keep
from tools.pipeline.talk import Talk
from tools.pipeline.world import World, open_world
from tools.rules.plans.permitting import tenant_of
from tools.rules.words.conversation import read
from tools.values import effects
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Work, Works
from tools.values.events import Intent, Proposed
from tools.values.person import Person
from tools.values.provisioned import Open, Provisioned, RunSeen, Service, Waiting
from tools.values.request import Edits
from tools.values.trouble import RequestProblem

PREFIX = "program/"
"""In front of the conversation's name in the ledger: no conversation of a person can be spoken in."""
NAME_CHARACTERS_MAX = 64
_TAKEN = frozenset(
    {
        Intent.WORDS,
        Intent.UNDO,
        Intent.REDO,
        Intent.TAKE,
        Intent.SHOW,
        Intent.EXPLAIN,
        Intent.HELP,
        Intent.GREET,
        Intent.EMPTY,
        Intent.TOO_LONG,
    }
)
"""What a program may say. The rest is a person's."""
_WORKS: tuple[Works, ...] = (*(one for one in Work if one not in (Work.PROPOSE, Work.REFINE)), effects.Understand)


def provision(request: str, requester: str, *, conversation: str = "", tenant: str = "", world: World | None = None) -> Provisioned:
    """What comes of one message: questions, a plan that waits for a person's approval, or the reason why there is none.

    `conversation` is that of an earlier answer, when this message goes on with it; `tenant` is the one that the requester asks in, where
    they are in several. `world` is opened from the environment's settings where none is given. Raises RequestProblem for a message that is
    not a program's to send, and for a conversation of somebody else.
    """
    world = as_asked_by(requester, world or open_world(), tenant)
    intent = read(request).intent
    if intent not in _TAKEN:
        raise RequestProblem(
            "A person has to say that.",
            f"A program may ask and change its request; “{intent.value}” is for whoever answers for the plan.",
            "Say it in berth chat, web or api.",
        )
    if not 0 < len(requester) <= NAME_CHARACTERS_MAX or not requester.isprintable() or {"/", ":"} & set(requester):
        limits = f"It has 1 to {NAME_CHARACTERS_MAX} characters, and no “/” and no “:”."
        raise RequestProblem("The requester has no usable name.", limits, "Name it.")
    own = f"{PREFIX}{world.tenant.name}:{requester}/" if world.tenant and world.tenant.name else f"{PREFIX}{requester}/"
    conversation = conversation or own + secrets.token_hex(4)
    if not conversation.startswith(own):
        raise RequestProblem("That conversation is another requester's.", "A program goes on with its own.", "Leave it out to begin anew.")
    asks = Person(requester, only_reads="A program asks.")
    talk, said = Talk(world, conversation, asks, request), list[str]()
    while talk.to_do:
        talk.go_on(said.append, *_WORKS)
        if talk.is_next(effects.Hear):
            talk.answer(talk.said(Edits(), offline=True))
        elif talk.is_next(Work.PROPOSE) or talk.is_next(Work.REFINE):
            talk.answer(Proposed(None))
    now = talk.now
    return Provisioned(
        conversation=conversation,
        phase=now.phase,
        answer="\n\n".join(said),
        request=now.request.said(),
        questions=_questions(now),
        plan=_waiting(world, now),
    )


def as_asked_by(requester: str, world: World, tenant: str = "") -> World:
    """The operator, whose machine it is, has everybody's; whoever else it asks for, what their tenant has. `tenant`: the one that they
    chose. Raises RequestProblem where that is none of theirs, or they are in several and chose none."""
    if requester == world.settings.operator and not tenant:
        return world
    return world.of(tenant_of(requester, (), world.tenants(), tenant))


def status(run_id: str, world: World | None = None) -> RunSeen:
    """How far a run is. Raises RequestProblem when there is none of this id."""
    run = carry_out.run_of(world or open_world(), run_id)
    return RunSeen(id=run.id, status=run.status, steps=tuple((step.name, step.status) for step in run.steps))


def services() -> tuple[Service, ...]:
    """Every service that can be asked for."""
    return tuple(
        Service(name=one.NAME, title=one.TITLE, platforms=tuple(one.ON), examples=one.EXAMPLES, facts=tuple(w.name for w in one.WANTED))
        for one in catalogue().values()
    )


def _waiting(world: World, now: Conversation) -> Waiting | None:
    if now.phase is not Phase.AWAITING or now.plan_digest is None:
        return None
    kept = world.ledger.plans.kept(now.plan_digest)
    plan = kept.plan
    # What is planned here is for a person to have planned again, and must not be in its own way then.
    world.ledger.release(kept.family)
    return Waiting(
        plan_digest=plan.digest,
        changes=tuple(f"{change.action} {change.address}" for part in plan.parts for change in part.changes),
        approvals=tuple(role for role, _ in plan.approvals),
        cost_monthly=plan.estimate.total,
        currency=plan.estimate.currency,
        resume=f"resume {keep(world, now.request)}",
    )


def _questions(now: Conversation) -> tuple[Open, ...]:
    missing = [(part.label, one) for part in now.requirements.parts for one in part.missing] if now.requirements else []
    return (
        *(Open(item=one.item, about=one.about, text=one.quote, choices=tuple(r.text for r in one.readings)) for one in now.doubts),
        *(Open(item=label, about=(one.name,), text=one.question, choices=one.suggestions) for label, one in missing),
    )
