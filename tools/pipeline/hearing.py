"""Hears messages one after the other, as a conversation does, and goes no further: no world is looked at and nothing is planned. What
`berth hear` prints, and what tests of hearing compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from tools.capabilities import catalogue, chain
from tools.rules.hearing import proving
from tools.rules.hearing.known import NOTHING_KNOWN, Known
from tools.rules.hearing.report import report
from tools.rules.request import goals, suggesting
from tools.rules.request.editing import apply
from tools.rules.request.running import sizes_needed
from tools.rules.words.conversation import read
from tools.rules.words.reducer import step
from tools.values import effects, events
from tools.values.conversation import Conversation
from tools.values.events import Intent
from tools.values.request import Edit, Edits, Request
from tools.values.site import Site
from tools.values.value import Json

REQUESTER = "operator"
ByModel = Callable[[str, Conversation, Edits], Edits]
"""What a model says of a message: (the message, the conversation so far, what the rules heard)."""


@dataclass
class Hearing:
    site: Site
    today: date
    now: Conversation = field(default_factory=Conversation)
    by_model: ByModel | None = None
    """Reads a message before the rules do; what it makes nothing of, they read."""
    known: Known = NOTHING_KNOWN

    def hear(self, text: str) -> dict[str, Json]:
        """The request after this message; what the message asks, and what of it was used for nothing."""
        message = read(text)
        heard, refused = Edits(), list[tuple[Edit, str]]()
        self.now, to_do = step(self.now, message)
        while to_do:
            effect, to_do = to_do[0], to_do[1:]
            if isinstance(effect, effects.Hear):
                heard = goals.hear(effect.text, self.now.request, catalogue(), self.now.asked, self.today, self.now.before, self._known())
                if self.by_model:
                    heard = proving.fill_in(self.by_model(effect.text, self.now, heard), heard, catalogue())
                self.now, more = step(self.now, events.Said(effect.text, heard, offline=self.by_model is None))
                to_do = (*to_do, *more)
            elif isinstance(effect, effects.Take):
                now = self.now
                heard = suggesting.take(effect.quote, effect.edits, now.request, now.requirements, catalogue(), self.today)
                self.now, more = step(now, events.Said(text, heard, offline=False))
                to_do = (*to_do, *more)
            elif isinstance(effect, effects.Understand):
                understood = self._understand(effect)
                refused += understood.refused
                self.now, more = step(self.now, understood)
                to_do = (*to_do, *more)
        commands = () if message.intent in (Intent.WORDS, Intent.EMPTY) else (message.intent.name.lower(),)
        return report(self.now.request, heard, catalogue(), self._missing(), commands, refused, self.known)

    def _known(self) -> Known:
        parts = self.now.requirements.parts if self.now.requirements else ()
        return replace(
            self.known, earlier=self.now.history, sizes={part.label: sizes_needed(part) for part in parts} | {**self.known.sizes}
        )

    def _understand(self, effect: effects.Understand) -> events.Understood:
        before = Request() if effect.anew else self.now.request
        request, refused = apply(before, effect.edits, catalogue(), {}, self.known.built, effect.text)
        required = chain.understand(request, self.site, REQUESTER)
        return events.Understood(effect.edits, request, refused, required, effect.anew)

    def _missing(self) -> list[tuple[str, str, str]]:
        parts = self.now.requirements.parts if self.now.requirements else ()
        return [(part.label, missing.name, missing.question) for part in parts for missing in part.missing]


def hear(texts: Iterable[str], site: Site, today: date) -> dict[str, Json]:
    """Of several messages of one conversation, what the last one comes to."""
    hearing, heard = Hearing(site, today), report(Request(), Edits(), catalogue())
    for text in texts:
        heard = hearing.hear(text)
    return heard
