"""One message of a conversation, and everything that comes of it: what the reducer wants done is carried out here, and what came of it is
handed back to the reducer. It decides nothing and knows no front end.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal, TypeVar, assert_never

from pydantic import TypeAdapter, ValidationError

from tools.capabilities import catalogue, chain
from tools.pipeline import carry_out
from tools.pipeline.context import Say
from tools.pipeline.drafting import counter, draft, scan_all, situation
from tools.pipeline.prepare import prepare, prepare_removal
from tools.pipeline.world import World
from tools.platforms import estimate
from tools.rules.hearing import hear as hearing
from tools.rules.hearing.unheard import unheard
from tools.rules.hearing.wording import has
from tools.rules.names.text import fold
from tools.rules.plans.policy import allowed_values
from tools.rules.words import telling
from tools.rules.words.answering import answer
from tools.rules.words.conversation import asks_for_another, read
from tools.rules.words.reducer import step
from tools.values.conversation import (
    Approve,
    AssertOpen,
    Cancel,
    Conversation,
    Countered,
    Drafted,
    Effect,
    Ended,
    Event,
    Find,
    Follow,
    Found,
    Hear,
    Judged,
    Leave,
    ListRuns,
    Message,
    Offered,
    Planned,
    PlanRemoval,
    Retry,
    Said,
    Seen,
    ShowRun,
    Start,
    Started,
    Tell,
    Understand,
    Understood,
    Unreadable,
    Void,
    Work,
    Works,
)
from tools.values.heard import Heard
from tools.values.manifest import Manifest
from tools.values.review import Severity
from tools.values.trouble import RequestProblem, Trouble, WorldProblem

T = TypeVar("T")
_STORED = TypeAdapter(Conversation)


class Talk:
    """Lives as long as its message is worked on, in this process only. `done` says what effects a caller is there for."""

    def __init__(self, world: World, name: str, requester: str, may_apply: bool, text: str) -> None:
        """`name` is the conversation's in the ledger. Raises WorldProblem when the ledger cannot be read."""
        self.world = world
        self.name = name
        self.text = text
        self.requester = requester
        self.may_apply = may_apply
        self.to_do: deque[Effect] = deque()
        self.now = self._stored = Conversation()
        stored = _read(world.ledger.get(name))
        if stored is None:
            latest = world.ledger.plans.latest(name)
            self.happen(Unreadable(latest.plan.digest if latest and latest.status == "open" else None))
        else:
            self.now = self._stored = stored
            self.happen(self._look_back())
        self._sure = self.now
        """What the conversation falls back to when something that was to be done at once fails."""
        self.happen(read(text))

    def happen(self, happened: Message | Event) -> None:
        self.now, effects = step(self.now, happened)
        self.to_do.extend(effects)

    def answer(self, event: Event) -> None:
        """What came of the effect that is next, from somebody who carried it out elsewhere."""
        self.to_do.popleft()
        self.happen(event)

    def is_next(self, kind: Works | type[Hear]) -> bool:
        return bool(self.to_do) and kind in (self.to_do[0], type(self.to_do[0]))

    def is_for(self, *works: Works) -> bool:
        """What is next is done at once, or is one of these works."""
        takes_time = bool(self.to_do) and isinstance(self.to_do[0], Work | Understand | Follow | Hear)
        return any(map(self.is_next, works)) if takes_time else bool(self.to_do)

    def go_on(self, say: Say, *works: Works) -> None:
        """Carries out what is next, as long as it is done at once or is one of `works`; trouble becomes a sentence, and ends the message."""
        try:
            while self.is_for(*works):
                effect = self.to_do.popleft()
                if isinstance(effect, Work | Follow | Understand):
                    self._sure = self.now
                    self.happen(self._work(effect, say))
                elif event := self._do(effect, say):
                    self.happen(event)
        except Trouble as trouble:
            self.give_up(trouble, say)
        finally:
            self.save()

    def give_up(self, trouble: Trouble, say: Say) -> None:
        """Nothing more is done for this message, and the conversation is where it was for certain."""
        self.now = self._sure
        self.to_do.clear()
        again = " Say `retry` to try again." if isinstance(trouble, WorldProblem) and trouble.retryable else ""
        say(f"{trouble}\n\nNothing is lost.{again}" if isinstance(trouble, WorldProblem) else str(trouble))

    def save(self) -> None:
        if self.now != self._stored:
            self._stored = self.now
            self.world.ledger.put(self.name, _STORED.dump_python(self.now, mode="json"))

    def _look_back(self) -> Seen:
        ledger, now = self.world.ledger, self.now
        try:
            run = ledger.runs.get(now.run_id) if now.run_id else None
            return Seen(run, ledger.plans.kept(now.plan_digest).plan.kind if now.plan_digest else None)
        except RequestProblem:  # Another ledger's: what it says of them is nothing.
            return Seen(None, None)

    def _do(self, effect: Effect, say: Say) -> Event | None:
        """What a person asked for by a command."""
        world = self.world
        if not self.may_apply and isinstance(effect, Approve | Start | Retry):
            raise RequestProblem(
                telling.READ_ONLY,
                "This server listens beyond loopback without a gate, so it may read and plan, never apply.",
                telling.READ_ONLY_NEXT,
            )
        match effect:
            case Tell():
                say(answer(effect, tuple(catalogue().values())))
            case ListRuns():
                say(telling.runs(carry_out.runs(world)))
            case ShowRun(run_id):
                say(telling.run(carry_out.run_of(world, run_id)))
            case AssertOpen(digest):
                carry_out.assert_may_be_approved(world, digest)
            case Void(digest):
                carry_out.void(world, digest)
            case Approve(m):
                return carry_out.approve(world, self.name, m.digest_typed, self.requester, m.text, m.role or None, m.reason)
            case Start(plan):
                carry_out.start(world, plan.digest)
                return Started(plan)
            case Find(run_id):
                return Found(carry_out.run_of(world, run_id))
            case Cancel(run_id):
                carry_out.cancel(world, run_id)
            case Retry(run_id):
                carry_out.retry(world, run_id)
            case Leave(run_id):
                carry_out.leave(world, run_id)
                say(telling.left(run_id, [line.text for line in world.ledger.runs.lines(run_id) if line.step == "leave"]))
            case PlanRemoval(run_id):
                return Planned(prepare_removal(world, self.name, run_id, self.requester, say=say))
            case Work() | Follow() | Understand() | Hear():
                raise AssertionError(effect)
            case _:
                assert_never(effect)
        return None

    def _work(self, effect: Work | Follow | Understand, say: Say) -> Event:
        """What takes its time, with the conversation's own values."""
        match effect:
            case Understand(text, heard):
                required = chain.understand(_made(self.now.heard), self.world.site, self.requester)
                return Understood(required, unheard(text, heard, catalogue()))
            case Follow(run_id, after):
                return _follow(self.world, run_id, after, say)
            case Work.LOOK:
                return self._look(say)
            case Work.DRAFT:
                return self._draft()
            case Work.JUDGE:
                errors = [f for f in self.now.review.findings if f.severity is Severity.ERROR] if self.now.review else []
                refused = any(allowed_values(self.world.policy, error) for error in errors)
                return Judged(refused, self.world.settings.rounds)
            case Work.COUNTER:
                return self._counter()
            case Work.PLAN:
                return self._plan(say)
            case _:
                raise AssertionError(effect)

    def _look(self, say: Say) -> Offered:
        world, required = self.world, _made(self.now.requirements)
        snapshots = scan_all(world, required)
        for snapshot in snapshots.values():
            say(telling.snapshot(snapshot))
        return Offered(snapshots, chain.offer(required, situation(world, snapshots, self.now.parent_digest), self._built()))

    def _built(self) -> Manifest | None:
        """What this conversation's run has made, when that is what changes."""
        if self.now.run_id is None or not self.now.changing:
            return None
        return self.world.ledger.plans.kept(self.world.ledger.runs.row(self.now.run_id).plan_digest).manifest

    def _draft(self) -> Drafted:
        now, built = self.now, self._built()
        required, offer, proposal, seen = _made(now.requirements), _made(now.offer), _made(now.proposal), _made(now.snapshots)
        manifest, review = draft(self.world, required, offer, proposal, seen, now.parent_digest, built)
        return Drafted(manifest, review, self.world.settings.rounds)

    def _counter(self) -> Countered:
        now = self.now
        required, review, seen = _made(now.requirements), _made(now.review), _made(now.snapshots)
        return Countered(counter(self.world, required, review, seen, now.parent_digest))

    def _plan(self, say: Say) -> Planned:
        now, manifest = self.now, _made(self.now.manifest)
        cost = estimate(manifest.parts, situation(self.world, _made(now.snapshots), now.parent_digest))
        kind: Literal["create", "change"] = "change" if now.changing else "create"
        run_id = now.run_id if now.changing else None
        return Planned(prepare(self.world, self.name, manifest, _made(now.review), cost, kind=kind, run_id=run_id, say=say))

    # What a model or a rule heard.

    def prove(self, heard: Heard) -> tuple[Heard, RequestProblem | None]:
        """What of it stands in words that were typed; and what is wrong with the rest. Raises RequestProblem on an unknown capability."""
        unknown = sorted({ask.capability for ask in heard.asks} - set(catalogue()))
        if unknown:
            raise RequestProblem(
                "A capability is unknown.", f"There is no capability {unknown[0]!r}.", f"Use one of {', '.join(catalogue())}."
            )
        proven, dropped = hearing.prove(heard, (*self.now.typed, self.text), catalogue())
        if not dropped:
            return proven, None
        names = ", ".join(sorted({fact.name for fact in dropped}))
        detail = f"The message does not say {names} in the words quoted."
        return proven, RequestProblem("A quote was never typed.", detail, "Copy the words, or leave it out.")

    def hear_by_rule(self, proven: Heard) -> Heard:
        """With what a model had heard, as far as it is proven."""
        heard = hearing.hear(self.text, catalogue(), self.now.heard or Heard(), self.now.asked)
        return hearing.merge(self.prove(heard)[0], proven)

    def said(self, heard: Heard, offline: bool) -> Said:
        named = any(has(catalogue()[ask.capability].WORDS, fold(self.text)) for ask in heard.asks)
        return Said(self.text, heard, another=named and asks_for_another(self.text), offline=offline)


def _made(value: T | None) -> T:
    """A value that the reducer has seen to be there before it asked for this work."""
    assert value is not None
    return value


def _read(stored: dict[str, Any]) -> Conversation | None:
    """None when it was written by another version, or by nobody of ours."""
    try:
        return _STORED.validate_python(stored)
    except ValidationError:
        return None


def _follow(world: World, run_id: str, after: int, say: Say) -> Ended:
    for line in carry_out.follow(world, run_id, after):
        say(telling.progress(line))
        after = line.number
    run = carry_out.run_of(world, run_id)
    guide = (world.run_folder(run_id) / "guide.md").read_text(encoding="utf-8") if run.status == "done" else ""
    return Ended(run, after, guide)
