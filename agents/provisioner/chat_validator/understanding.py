"""From what was heard to requirements: a change or a new request, complete or with questions."""

from __future__ import annotations

from tools.capabilities import catalogue
from tools.capabilities import chain as values
from tools.rules import telling
from tools.rules.conversation import Event, Kind, Phase, is_question
from tools.values.heard import Heard

from .. import hearing
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
        if not any(ask.facts or not _known(chain.heard, ask.capability) for ask in now.asks):
            turn.handled = True
            return (
                telling.answer(turn.message.text, chain.offer, chain.manifest, chain.review)
                if is_question(turn.message.text)
                else (telling.not_heard(turn.message.text, tuple(catalogue().values())))
            )
        if chain.phase is Phase.RUNNING:
            turn.handled = True
            return telling.RUN_UNDER_WAY
        if chain.phase in (Phase.DONE, Phase.STOPPED):
            if not _changes(chain.heard, now):
                chain.move(Event.NEW_REQUEST)
                chain.forget_from("heard")
                chain.typed, chain.asked, chain.run_id = (), (), None
            elif chain.phase is Phase.STOPPED:
                turn.handled = True
                return telling.RUN_STOPPED
            chain.changing = chain.run_id is not None
        chain.typed = (*chain.typed, turn.message.text)[-TYPED_MAX:]
        # Loaded with the first message, as hearing is.
        from tools.rules.unheard import unheard

        not_used = telling.unheard(unheard(turn.message.text, now, catalogue()))
        heard = hearing.merge(chain.heard or Heard(), now)
        changed_plan = chain.phase in (Phase.AWAITING, Phase.DONE)
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


def _changes(before: Heard | None, now: Heard) -> bool:
    """What was said is about what there is, and names no new thing: `make it 8 GB`."""
    return before is not None and all(_known(before, ask.capability) for ask in now.asks)
