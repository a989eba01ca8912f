"""The loop of reviewer and refiner: the one place besides agent.py that builds one of ADK's deprecated workflow agents.

ADK 2.13 deprecates LoopAgent for Workflow; the customer asks for a LoopAgent. Only that warning is silenced, only here.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

from google.adk.agents import LoopAgent
from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event, EventActions

from tools.rules.plans.policy import allowed_values
from tools.rules.plans.reviewing import ratchet
from tools.rules.words import telling
from tools.rules.words.conversation import Event as ConversationEvent
from tools.values.offer import Offer, Pick, Proposal

from .. import pipeline
from ..manifest_generator.generator import Propose, compose, offered, tried_as
from ..models import model_for
from ..stage import Say, Speaker, Stage, prompt, says
from ..state import Turn

ROUNDS = 3
ROUNDS_MAX = 10


class Reviewer(Stage):
    """Code, not a model: schema, capacity, policy. Ends the loop when the manifest is clean or nothing is left to try."""

    def wanted(self, turn: Turn) -> bool:
        return turn.drafting and turn.chain.manifest is not None and turn.chain.plan_digest is None

    def work(self, turn: Turn, say: Say) -> str:
        chain = turn.chain
        assert chain.review is not None and chain.offer is not None
        if chain.review.clean:
            return telling.review(chain.review)
        # One round more than the model has: that one is the rules'. None at all when the policy refuses what was asked for itself.
        asked_for = any(
            allowed_values(turn.world.policy, finding) for finding in chain.review.findings if finding.severity == "error"
        )
        if not asked_for and chain.rounds <= turn.world.settings.rounds and _next(chain.offer, _tried(turn)) is not None:
            return telling.review(chain.review)
        turn.handled = True
        assert chain.requirements is not None and chain.snapshots is not None
        instead = pipeline.drafting.counter(turn.world, chain.requirements, chain.review, chain.snapshots, chain.parent_digest)
        text = telling.not_clean(chain.review, chain.offer, chain.rounds, instead)
        chain.move(ConversationEvent.NOT_CLEAN)
        chain.forget_from("snapshots")
        return text

    def after(self, turn: Turn, ctx: InvocationContext) -> list[Event]:
        ends = turn.handled or (turn.chain.review is not None and turn.chain.review.clean)
        return [says(self.name, ctx, "", EventActions(escalate=True))] if ends else []


class Refiner(Speaker):
    def __init__(self) -> None:
        super().__init__(
            name="refiner",
            description="Picks again from the offer, when the review found faults.",
            model=model_for("fast"),
            prompt=prompt(__package__),
            tool=Propose(),
        )

    def wanted(self, turn: Turn) -> bool:
        if not turn.drafting or turn.chain.review is None or turn.chain.review.clean:
            return False
        turn.chain.tried = _tried(turn)
        turn.chain.proposal = None
        if turn.chain.rounds < turn.world.settings.rounds:
            return True
        self.fall_back(turn)
        return False

    def facts(self, turn: Turn) -> dict[str, Any]:
        assert turn.chain.review is not None
        return {"context": json.dumps(offered(turn.chain), ensure_ascii=False), "findings": turn.chain.review.findings[:6]}

    def question(self, turn: Turn) -> str:
        return "Pick again from the offer."

    def settled(self, turn: Turn) -> bool:
        return turn.chain.proposal is not None

    def fall_back(self, turn: Turn) -> None:
        assert turn.chain.offer is not None
        turn.chain.proposal = _next(turn.chain.offer, turn.chain.tried)


class Recomposer(Stage):
    """Composes the refined manifest, and keeps it only if no check that held before fails now."""

    def wanted(self, turn: Turn) -> bool:
        chain = turn.chain
        return turn.drafting and chain.review is not None and not chain.review.clean and chain.proposal is not None

    def work(self, turn: Turn, say: Say) -> str:
        chain = turn.chain
        before, before_review = chain.manifest, chain.review
        assert before is not None and before_review is not None
        compose(turn)
        chain.rounds += 1
        assert chain.manifest is not None and chain.review is not None
        if not chain.review.clean and not ratchet(before_review, chain.review):
            chain.manifest, chain.review = before, before_review
            return telling.refinement_dropped(chain.rounds)
        if chain.rounds > turn.world.settings.rounds:
            return telling.settled_by_rule(chain.manifest)
        return telling.refinement(chain.manifest, chain.rounds)


def _tried(turn: Turn) -> tuple[str, ...]:
    picked = turn.chain.proposal.picks if turn.chain.proposal else ()
    now = tuple(tried_as(p) for p in picks_at_fault(turn, picked))
    return tuple(dict.fromkeys((*turn.chain.tried, *now)))


def picks_at_fault(turn: Turn, picks: tuple[Pick, ...]) -> tuple[Pick, ...]:
    """The picks of the parts that the review has errors about: a good pick of another part stays open."""
    assert turn.chain.review is not None and turn.chain.manifest is not None
    faulty = {f.part for f in turn.chain.review.findings if f.severity == "error"}
    at_fault = {p.capability for p in turn.chain.manifest.parts if p.name in faulty}
    return tuple(p for p in picks if p.capability in at_fault)


def _next(offer: Offer, tried: tuple[str, ...]) -> Proposal | None:
    """The best candidate of each part that has not been tried, by rule; None when a part has none left."""
    picks = []
    for part in offer.parts:
        left = [c for c in part.candidates if f"{part.capability}:{c.id}" not in tried]
        if not left:
            return None
        picks.append(Pick(capability=part.capability, candidate=left[0].id, because="The better ranked ones failed the review."))
    return Proposal(made_by="rule", picks=tuple(picks))


def build_loop() -> LoopAgent:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*LoopAgent.*", category=DeprecationWarning)
        return LoopAgent(
            name="refinement",
            description="Reviews the manifest by code and refines it within the offer.",
            max_iterations=ROUNDS_MAX + 2,
            sub_agents=[Reviewer(name="reviewer"), Refiner(), Recomposer(name="recomposer")],
        )
