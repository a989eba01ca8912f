"""One message of a conversation, and everything that comes of it: what the reducer wants done is carried out here, and what came of it is
handed back to the reducer. It decides nothing and knows no front end.
"""

from __future__ import annotations

from collections import deque

from pydantic import TypeAdapter, ValidationError

from tools.capabilities import catalogue
from tools.clients.files import in_words as trouble_of
from tools.clients.tracing import span
from tools.ledger.database import LedgerAway
from tools.ledger.leases import Lease, LeaseLost
from tools.pipeline import carry_out
from tools.pipeline.answering import suppose
from tools.pipeline.commanding import Commanding
from tools.pipeline.context import Say
from tools.pipeline.made_here import guide_of, known_here
from tools.pipeline.noticing import plan_waits
from tools.pipeline.working import Working
from tools.pipeline.world import World
from tools.rules.hearing import proving
from tools.rules.request import goals
from tools.rules.words import telling
from tools.rules.words.conversation import read
from tools.rules.words.guiding import opening
from tools.rules.words.reducer import step
from tools.rules.words.rendering import draw
from tools.values import effects, events, shapes
from tools.values.conversation import Conversation, Phase
from tools.values.effects import AtOnce, Effect, Tell, Work, Works
from tools.values.events import Event, Intent, Message
from tools.values.person import Person
from tools.values.request import Edits
from tools.values.trouble import RequestProblem, Trouble, WorldProblem

_STORED = TypeAdapter(Conversation)


def answer_without_ledger(text: str, trouble: Trouble) -> str:
    """Why nothing can be done before that is mended; and help, to whoever asks for it."""
    helps = read(text).intent in (Intent.HELP, Intent.GREET)
    return f"{in_words(trouble)}\n\n{draw(telling.help_text(tuple(catalogue().values())))}" if helps else in_words(trouble)


def in_words(trouble: Trouble) -> str:
    """Fit to be shown: what the world said in it is data."""
    again = isinstance(trouble, WorldProblem) and trouble.retryable
    return draw(telling.trouble(trouble, isinstance(trouble, WorldProblem), again))


def _overtaken() -> WorldProblem:
    return WorldProblem(
        "Another machine has this conversation by now.",
        "This one was cut off from the ledger for a while, so it writes nothing more of this message.",
        "Say status to see what counts, and send the message again if it is not in it.",
    )


class Talk:
    """Lives as long as its message is worked on, in this process only."""

    def __init__(self, world: World, name: str, person: Person, text: str, lease: Lease | None = None) -> None:
        """`name` is the conversation's in the ledger; `lease`: by which it is this process's, where there are several. Raises Trouble when
        the ledger cannot be read, or is of a newer Berth."""
        self.world = world = world.of(person.tenant).under(lease)
        self.is_overtaken = False
        """Another machine has the conversation, and nothing of this message counts any more."""
        self.name = name
        self.person = person
        self.text = text
        self.to_do: deque[Effect] = deque()
        self.now = self._stored = Conversation()
        self._heard: tuple[Conversation, Edits] | None = None
        try:
            self.now = self._stored = _STORED.validate_python(world.ledger.get(name))
            self.happen(self._look_back())
        except (ValidationError, shapes.Unreadable):
            latest = world.ledger.plans.latest(name)
            self.happen(events.Unreadable(latest.plan_digest if latest and latest.status == "open" else None))
        self._sure = self.now
        """What the conversation falls back to when something that was to be done at once fails."""
        self.happen(read(text))

    def happen(self, happened: Message | Event) -> None:
        self.now, to_do = step(self.now, happened)
        self.to_do.extend(to_do)
        if isinstance(happened, events.Planned):
            plan_waits(self.world, happened.plan, self.person)

    def is_next(self, kind: Works | type[effects.Hear]) -> bool:
        return bool(self.to_do) and kind in (self.to_do[0], type(self.to_do[0]))

    def is_for(self, *works: Works) -> bool:
        """What is next is done at once, or is one of these works."""
        return bool(self.to_do) and (isinstance(self.to_do[0], AtOnce) or any(map(self.is_next, works)))

    @property
    def is_slow(self) -> bool:
        """What is next looks at more than the ledger."""
        return isinstance(self.to_do[0], effects.Slow)

    def answer(self, event: Event) -> None:
        """What came of the effect that is next, from somebody who carried it out elsewhere."""
        self.to_do.popleft()
        self.happen(event)

    def go_on(self, say: Say, *works: Works) -> None:
        """Carries out what is next, as long as it `is_for` these works and as slow as the first; trouble becomes a sentence, and ends the
        message. A run is followed by whoever shows it, since that holds nobody's thread."""
        self.say = say
        slow = self.is_for(*works) and self.is_slow
        try:
            while self.is_for(*works) and self.is_slow == slow and not self.is_next(effects.Follow):
                effect = self.to_do.popleft()
                with span(effect.value if isinstance(effect, Work) else type(effect).__name__):
                    if isinstance(effect, AtOnce):
                        if event := Commanding(*self._moment()).carry_out(effect):
                            self.happen(event)
                    else:
                        self._sure = self.now
                        self.happen(Working(*self._moment()).do(effect))
        except (Trouble, OSError) as error:
            self.now = self._sure
            self.to_do.clear()
            trouble = trouble_of(error) if isinstance(error, OSError) else error
            self.say(in_words(trouble))
            if isinstance(trouble, WorldProblem) and trouble.retryable:
                self.happen(events.Failed(self.text))
        except LeaseLost:
            self._give_up()
        finally:
            self._keep()

    def _moment(self) -> tuple[World, str, Person, str, Conversation, Say]:
        return self.world, self.name, self.person, self.text, self.now, self.say

    def _keep(self) -> None:
        if self.now != self._stored:
            try:
                said = _STORED.dump_python(self.now, mode="json", exclude={"snapshots"})
                self.world.ledger.put(self.name, {**said, "snapshots": self.now.snapshots})
                self._stored = self.now
            except LedgerAway as problem:
                self.to_do.clear()
                self.say(in_words(problem))
            except LeaseLost:
                self._give_up()

    def _give_up(self) -> None:
        self.is_overtaken = True
        self.now = self._stored
        self.to_do.clear()
        self.say(in_words(_overtaken()))

    def _tell(self, tell: Tell) -> None:
        self.say(draw(tell))

    def _look_back(self) -> events.Seen:
        ledger, now = self.world.ledger, self.now
        try:
            run = ledger.runs.get(now.run_id) if now.run_id else None
            kept = ledger.plans.kept(now.plan_digest) if now.plan_digest else None
            if now.phase is Phase.AWAITING and kept and kept.status == "used":
                return events.Seen(ledger.runs.get(kept.plan.run_id), kept.plan.kind, begun=True)
            return events.Seen(run, kept.plan.kind if kept else None)
        except RequestProblem:  # Another ledger's: this one says nothing of them.
            return events.Seen(None, None)

    # A run that is followed.

    def begin_following(self) -> effects.Follow:
        followed = self.to_do.popleft()
        assert isinstance(followed, effects.Follow)
        return followed

    def look(self, run_id: str, after: int) -> tuple[bool, int, tuple[str, ...]]:
        """(whether it goes on, the last line there is, what is said of those after that one)."""
        going, lines = carry_out.look(self.world, run_id, after)
        return going, lines[-1].number if lines else after, tuple(draw(telling.progress(line)) for line in lines)

    def end_following(self, run_id: str, line_seen: int, lease: Lease | None = None) -> None:
        """Others may have spoken in this conversation meanwhile: what they came to counts. `lease`: by which it is ours again."""
        self.world = self.world.under(lease)
        self.now = self._stored = self._sure = _STORED.validate_python(self.world.ledger.get(self.name))
        run = carry_out.run_of(self.world, run_id)
        guide = opening(guide_of(self.world, run_id)) if run.status == "done" and not run.left else ""
        self.happen(events.Ended(run, line_seen, guide, self.world.ledger.plans.kept(run.plan_digest).plan.kind))

    # What a model or a rule heard.

    def prove(self, edits: Edits) -> tuple[Edits, RequestProblem | None]:
        """What of it stands in words that were typed; and what is wrong with the rest."""
        proven, dropped = proving.prove(edits, (*self.now.typed, self.text), self.now.request, catalogue(), self.hear_by_rule())
        if not dropped:
            return proven, None
        detail = f"The message does not say {', '.join(sorted({edit.name or edit.item for edit in dropped}))} in the words quoted."
        return proven, RequestProblem("A quote was never typed.", detail, "Copy the words, or leave it out.")

    def hear_by_rule(self) -> Edits:
        """Once for each state of the conversation: the prompt of a model and the judge of what it heard both ask."""
        now = self.now
        if self._heard is None or self._heard[0] is not now:
            today, known = self.world.now().date(), known_here(self.world, now)
            self._heard = now, goals.hear(self.text, now.request, catalogue(), now.asked, today, now.before, known)
        return self._heard[1]

    def said(self, edits: Edits, offline: bool) -> events.Said:
        """With what the rules heard where a model heard nothing."""
        heard = proving.fill_in(edits, self.hear_by_rule(), catalogue())
        return events.Said(self.text, suppose(self.text, heard, self.now.request, self.world.now().date()), offline)
