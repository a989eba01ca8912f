"""From what was heard to requirements: a change or a new request, complete or with questions."""

from __future__ import annotations

from tools.capabilities import catalogue
from tools.capabilities import chain as values
from tools.rules.hearing.wording import has
from tools.rules.names.text import fold
from tools.rules.words import telling
from tools.rules.words.conversation import Event, Kind, Phase, asks_for_another, is_question, may_be_question
from tools.values.heard import Heard

from .. import hearing, pipeline
from ..stage import Say, Stage
from ..state import TYPED_MAX, Turn


class Understanding(Stage):
    def wanted(self, turn: Turn) -> bool:
        return turn.message.kind is Kind.WORDS and not turn.handled and turn.heard_now is not None

    def work(self, turn: Turn, say: Say) -> str:
        chain, now = turn.chain, turn.heard_now
        assert now is not None
        if turn.used_offline and not chain.introduced:
            chain.introduced = True
            say(telling.OFFLINE)
        text = turn.message.text
        nothing = not any(ask.facts or not _known(chain.heard, ask.capability) for ask in now.asks)
        if (nothing and may_be_question(text)) or (chain.heard is not None and is_question(text)):
            turn.handled = True
            return telling.answer(text, chain.offer, chain.manifest, chain.review)
        if nothing:
            turn.handled = True
            return telling.not_heard(text, tuple(catalogue().values()))
        if chain.phase is Phase.RUNNING:
            turn.handled = True
            return telling.RUN_UNDER_WAY
        another = _names_one(text, now) and asks_for_another(text)
        if chain.phase is Phase.AWAITING and chain.plan_digest and another and _changes(chain.heard, now):
            turn.handled = True
            return telling.one_plan_at_a_time(chain.plan_digest)
        if chain.phase in (Phase.DONE, Phase.STOPPED):
            if another or not _changes(chain.heard, now):
                chain.move(Event.NEW_REQUEST)
                chain.forget_from("heard")
                chain.typed, chain.asked, chain.run_id = (), (), None
            elif chain.phase is Phase.STOPPED:
                turn.handled = True
                return telling.RUN_STOPPED
            chain.changing = chain.run_id is not None
        elif chain.phase is Phase.AWAITING and chain.run_id is not None:
            chain.changing = True  # The plan on offer removes what a run has made, and now it is to be changed instead.
        chain.typed = (*chain.typed, text)[-TYPED_MAX:]
        # Loaded with the first message, as hearing is.
        from tools.rules.hearing.unheard import unheard

        not_used = telling.unheard(unheard(text, now, catalogue()))
        heard = hearing.merge(chain.heard or Heard(), now)
        changed_plan = chain.phase in (Phase.AWAITING, Phase.DONE)
        if chain.plan_digest:
            # Before it is forgotten, and whatever comes of the change: a plan that is not on the screen cannot be approved.
            pipeline.carry_out.void(turn.world, chain.plan_digest)
        chain.forget_from("requirements")
        chain.heard = heard
        chain.requirements = values.understand(heard, turn.world.site, turn.requester)
        if chain.requirements.complete:
            chain.asked = ()
            chain.move(Event.CHANGED if changed_plan else Event.HEARD_COMPLETE)
            return telling.requirements(chain.requirements) + not_used
        chain.move(Event.HEARD_INCOMPLETE)
        turn.handled = True
        chain.asked = tuple((part.capability, missing.name) for part in chain.requirements.parts for missing in part.missing)
        return telling.questions(chain.requirements) + not_used


def _known(heard: Heard | None, capability: str) -> bool:
    return heard is not None and any(ask.capability == capability for ask in heard.asks)


def _names_one(text: str, now: Heard) -> bool:
    return any(has(catalogue()[ask.capability].WORDS, fold(text)) for ask in now.asks if ask.capability in catalogue())


def _changes(before: Heard | None, now: Heard) -> bool:
    """What was said is about what there is, and names no new thing: `make it 8 GB`."""
    return before is not None and all(_known(before, ask.capability) for ask in now.asks)
