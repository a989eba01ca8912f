"""One message of a conversation, and everything that comes of it: what the reducer wants done is carried out here, and what came of it is
handed back to the reducer. It decides nothing and knows no front end.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar, assert_never

from pydantic import TypeAdapter, ValidationError

from tools.capabilities import catalogue, chain
from tools.capabilities.swings import swings
from tools.clients.files import in_words as trouble_of
from tools.clients.tracing import span
from tools.ledger.database import LedgerAway
from tools.ledger.leases import Lease, LeaseLost
from tools.pipeline import carry_out, requests
from tools.pipeline.answering import Answering
from tools.pipeline.context import Say
from tools.pipeline.drafting import counter, draft, scan_all, situation, understand
from tools.pipeline.drifting import drift
from tools.pipeline.going_back import prepare_way_back
from tools.pipeline.noticing import plan_waits
from tools.pipeline.platforms import connected, scan
from tools.pipeline.prepare import prepare, prepare_removal
from tools.pipeline.world import World
from tools.platforms import estimate
from tools.rules.hearing import proving, reading
from tools.rules.hearing.counting import names_of
from tools.rules.hearing.known import Built, Known, Sizes
from tools.rules.names.naming import shorten
from tools.rules.plans.approving import digits
from tools.rules.plans.permitting import assert_may
from tools.rules.plans.policy import allowed_values
from tools.rules.request import goals
from tools.rules.request.editing import apply, facts_of
from tools.rules.request.running import made_by_us, seen_running, sizes_made, sizes_needed
from tools.rules.words import telling
from tools.rules.words.conversation import read
from tools.rules.words.guiding import opening
from tools.rules.words.reducer import step
from tools.rules.words.rendering import draw
from tools.values import effects, events, shapes
from tools.values.conversation import Conversation, Phase
from tools.values.effects import AtOnce, Effect, Tell, Work, Works
from tools.values.events import Event, Intent, Message
from tools.values.manifest import Manifest
from tools.values.person import Person
from tools.values.plan import Estimate, Plan
from tools.values.request import Edit, Edits, Item, Request
from tools.values.review import Severity
from tools.values.snapshot import ClusterSnapshot
from tools.values.trouble import RequestProblem, Trouble, WorldProblem

T = TypeVar("T")
_STORED = TypeAdapter(Conversation)
PLAIN = "virtual_machine"
"""What a machine is to a request when nothing is known of it but its size."""


def answer_without_ledger(text: str, trouble: Trouble) -> str:
    """Why nothing can be done before that is mended; and help, to whoever asks for it."""
    helps = read(text).intent is Intent.HELP
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
                        if event := self._do(effect):
                            self.happen(event)
                    else:
                        self._sure = self.now
                        self.happen(self._work(effect))
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

    def _do(self, effect: AtOnce) -> Event | None:
        """What a person asked for by a command."""
        world = self.world
        assert_may(self.person, effect, self._requester_of(effect.run_id) if isinstance(effect, effects.OnRun) else None)
        match effect:
            case Tell():
                self._tell(effect)
            case effects.TellWhatIsKnown(text):
                known = tuple(catalogue().values())
                self._tell(telling.not_heard(text, known) if text else telling.help_text(known))
            case effects.Answer():
                self._tell(Answering(world, self.name, self.now, effect).answer())
            case effects.Resume(name, anew):
                request = requests.find(world, name).request
                return events.Understood(Edits(), request, (), understand(world, request, self.person.name), anew)
            case effects.Take(quote, edits):
                return self._take(quote, edits)
            case effects.ListRuns():
                self._tell(telling.runs(carry_out.runs(world), carry_out.past(world)))
            case effects.ListWaiting():
                waiting = carry_out.waiting(world, self.person)
                self._tell(telling.waiting([(one.plan, one.manifest, roles, self._instead(one.plan)) for one, roles in waiting]))
            case effects.ShowPlan(typed):
                kept = world.ledger.plans.find(digits(typed))
                self._tell(telling.details(kept.plan, kept.manifest, kept.review))
            case effects.Explain(what):
                self._explain(what)
            case effects.ShowRun(run_id):
                self._tell(telling.run(carry_out.run_of(world, run_id), carry_out.switched_off(world, run_id)))
            case effects.ShowDrift(run_id):
                self._tell(telling.drift(run_id, drift(world, run_id)))
            case effects.AssertOpen(digest):
                carry_out.assert_may_be_approved(world, digest)
            case effects.Void(digest):
                carry_out.void(world, digest)
            case effects.Approve(said):
                who = self.person
                role = said.role or None
                self._assert_shown(said.digest_typed)
                return carry_out.approve(world, said.digest_typed, who.name, said.text, role, said.reason, who.roles)
            case effects.Start(plan):
                carry_out.start(world, plan.digest)
                return events.Started(plan)
            case effects.Find(run_id):
                return events.Found(carry_out.run_of(world, run_id))
            case effects.Cancel(run_id):
                carry_out.cancel(world, run_id)
            case effects.Retry(run_id):
                carry_out.retry(world, run_id)
            case effects.Leave(run_id):
                carry_out.leave(world, run_id)
                half_made = [line.text for line in world.ledger.runs.lines(run_id) if line.step == "leave"]
                self._tell(telling.left(run_id, half_made))
            case effects.PlanRemoval(run_id):
                if self._is_of_this_run(run_id):
                    return events.Said(self.text, Edits(edits=(Edit(do="remove", item=run_id, quote=self.text),)), offline=False)
                self._assert_made_by_us(run_id)
                self._tell(telling.PLANNING)
                return events.Planned(prepare_removal(world, self.name, run_id, self.person.name, say=self.say))
            case effects.PlanWayBack(run_id, part):
                self._tell(telling.PLANNING)
                back = prepare_way_back(world, self.name, run_id, self.person.name, self.say, part)
                if back.plan.kind == "remove":
                    return events.Planned(back.plan)
                return events.Planned(back.plan, back.attempted, back_to=(back.manifest, back.review), parts=back.labels)
            case _:
                assert_never(effect)
        return None

    def _instead(self, plan: Plan) -> str | None:
        """What is said here of a plan that another conversation has shown, where nobody is authenticated; None where it may be approved."""
        if self.person.roles is not None or plan.conversation == self.name:
            return None
        if plan.kind != "create" or plan.conversation not in self.world.ledger.conversations():
            return ""
        return f"resume {requests.keep(self.world, requests.find(self.world, plan.conversation).request)}"

    def _assert_shown(self, typed: str) -> None:
        """Somebody alone on this machine approves what this very conversation has shown; people who are known, what waits for them."""
        if self.person.roles is None:
            instead = self._instead(self.world.ledger.plans.find(digits(typed)).plan)
            if instead is not None:
                raise RequestProblem(
                    "This conversation has not shown that plan.",
                    "It was made in another one, and can be approved there.",
                    f"Say `{instead}` to have it planned and shown here." if instead else "Approve it there.",
                )

    def _requester_of(self, run_id: str) -> str | None:
        return next((row.requester for row in self.world.ledger.runs.rows() if row.id == run_id), None)

    def _work(self, effect: effects.TakesTime) -> Event:
        """What takes its time, with the conversation's own values."""
        assert_may(self.person, effect)
        match effect:
            case effects.Understand(edits, anew, text):
                return self._understand(edits, anew, text)
            case Work.LOOK:
                return self._look()
            case Work.DRAFT:
                return self._draft()
            case Work.JUDGE:
                errors = (f for f in _made(self.now.review).findings if f.severity is Severity.ERROR)
                refused = any(allowed_values(self.world.policy, error) for error in errors)
                return events.Judged(refused, self.world.settings.rounds)
            case Work.COUNTER:
                return self._counter()
            case Work.PLAN:
                return self._plan()
            case effects.Hear() | effects.Follow() | Work.PROPOSE | Work.REFINE:
                raise AssertionError("Somebody else does this.")
            case _:
                assert_never(effect)

    def _understand(self, edits: Edits, anew: bool, text: str) -> events.Understood:
        now = self.now
        before = Request() if anew else now.request
        request, refused = apply(before, edits, catalogue(), self._running(edits, before), {} if anew else self._machines_built(), text)
        required = understand(self.world, request, self.person.name)
        return events.Understood(edits, request, refused, required, anew)

    def _made_here(self) -> Manifest | None:
        """What this conversation's run has made."""
        if self.now.run_id is None or self.now.request_built is None:
            return None
        return self.world.ledger.plans.kept(self.world.ledger.runs.row(self.now.run_id).plan_digest).manifest

    def _machines_built(self) -> Built:
        """Of what the conversation's run has made and this message may change."""
        made = self._made_here()
        parts = made.parts if made else ()
        return {part.label: {group: tuple(m.name for m in part.of_group(group)) for group in part.groups} for part in parts}

    def _sizes(self) -> Sizes:
        """Of what is planned, else of what the conversation's run has made."""
        needed = self.now.requirements.parts if self.now.requirements else ()
        planned = {part.label: sizes_needed(part) for part in needed}
        drafted = self.now.manifest if self.now.plan_kind != "remove" else None
        made = drafted or self._made_here()
        return planned | {part.label: sizes_made(part) for part in (made.parts if made else ()) if part.machines}

    def _running(self, edits: Edits, request: Request) -> dict[str, Item]:
        """By every name, where an edit may be about it: what this conversation has made, what other runs did, or what a cluster shows."""
        about = {edit.item for edit in edits.edits if edit.do in ("copy", "remove")}
        like = {edit.value for edit in edits.edits if (edit.do, edit.name) == ("relate", "like")}
        named = (about | like) - {name for item in request.items for name in (item.label, *names_of(item))}
        named -= {name for groups in self._machines_built().values() for names in groups.values() for name in names}
        own = self.now.request_built or Request()
        ours = {item.label: item.model_copy(update={"facts": facts_of(item, own, catalogue())}) for item in own.items}
        if named <= ours.keys():
            return ours
        ledger = self.world.ledger
        kept = [ledger.plans.kept(row.plan_digest) for row in ledger.runs.rows() if row.status in ("done", "stopped")]
        found = {name: item for one in kept for part in one.manifest.parts for name, item in made_by_us(part, catalogue())}
        if not named <= found.keys() and "proxmox" in connected(self.world.settings):
            seen = scan(self.world, "proxmox")
            assert isinstance(seen, ClusterSnapshot)
            found = dict(seen_running(seen, PLAIN)) | found
        return found | ours

    def _is_of_this_run(self, name: str) -> bool:
        """A machine of the run that this message may change."""
        return any(name in names for groups in self._machines_built().values() for names in groups.values())

    def _assert_made_by_us(self, name: str) -> None:
        """Raises RequestProblem for what is no run, and says which run made it, if any did."""
        ledger = self.world.ledger
        rows = ledger.runs.rows()
        if any(row.id == name for row in rows):
            return
        parts = ((row.id, part) for row in rows if row.status != "removed" for part in ledger.plans.kept(row.plan_digest).manifest.parts)
        run_id = next((run_id for run_id, part in parts if name in dict(made_by_us(part, catalogue()))), "")
        raise RequestProblem(
            "I remove what a run of mine made, as a whole.",
            f"{shorten(name)} was made by {run_id}." if run_id else f"No run of mine made {shorten(name)}, so I leave it alone.",
            f"Say `remove {run_id}` for a plan that removes all of it. Or say `follow {run_id}`, and then `remove {shorten(name)}`."
            if run_id
            else "`list` shows my runs; say `remove` and one of them.",
        )

    def _take(self, quote: str, edits: tuple[Edit, ...]) -> events.Said:
        """A suggestion is read as an answer to its question."""
        now = self.now
        missing = [(part.label, one) for part in now.requirements.parts for one in part.missing] if now.requirements else []
        for label, one in ((label, one) for label, one in missing if one.suggestions):
            asked = ((label, one.name),)
            heard = reading.read(one.suggestions[0], now.request, catalogue(), asked, self.world.now().date())
            answers = (edit for edit in heard.edits if (edit.do, edit.name) == ("set", one.name))
            edits = (*edits, *(edit.model_copy(update={"item": label, "quote": quote}) for edit in answers))
        return events.Said(self.text, Edits(edits=edits), offline=False)

    def _look(self) -> events.Offered:
        world, required = self.world, _made(self.now.requirements)
        built = self._built()
        snapshots = scan_all(world, required, built.parts if built else ())
        for snapshot in snapshots.values():
            self._tell(telling.snapshot(snapshot))
        offer = chain.offer(required, situation(world, snapshots, self.now.parent_digest), built)
        return events.Offered(snapshots, offer)

    def _built(self) -> Manifest | None:
        """What this conversation's run has made, when that is what changes."""
        if self.now.run_id is None or not self.now.changing:
            return None
        return self.world.ledger.plans.kept(self.world.ledger.runs.row(self.now.run_id).plan_digest).manifest

    def _draft(self) -> events.Drafted:
        now, built = self.now, self._built()
        required, offer, proposal, seen = _made(now.requirements), _made(now.offer), _made(now.proposal), _made(now.snapshots)
        manifest, review = draft(self.world, required, offer, proposal, seen, now.parent_digest, built)
        return events.Drafted(manifest, review, self.world.settings.rounds)

    def _counter(self) -> events.Countered:
        now = self.now
        required, review, seen = _made(now.requirements), _made(now.review), _made(now.snapshots)
        return events.Countered(counter(self.world, required, review, seen, now.parent_digest))

    def _plan(self) -> events.Planned:
        now, manifest, review = self.now, _made(self.now.manifest), _made(self.now.review)
        at = situation(self.world, _made(now.snapshots), now.parent_digest)
        cost = estimate(manifest.parts, at)
        kind: Literal["create", "change"] = "change" if now.changing else "create"
        run_id = now.run_id if now.changing else None
        before = self._shown_before()
        with ThreadPoolExecutor(1, thread_name_prefix="swings") as beside:  # Terraform takes longer.
            trying = beside.submit(swings, now.request, _made(now.requirements), at) if cost.currency and kind == "create" else None
            plan = prepare(self.world, self.name, manifest, review, cost, kind=kind, run_id=run_id)
            return events.Planned(plan, before, trying.result() if trying else ())

    def _shown_before(self) -> tuple[Manifest, Estimate] | None:
        """What exists, when that is what changes; else the plan that was shown before."""
        now, ledger = self.now, self.world.ledger
        built = ledger.runs.row(now.run_id).plan_digest if now.changing and now.run_id else None
        digest = built or now.plan_shown
        kept = ledger.plans.kept(digest) if digest else None
        return (kept.manifest, kept.plan.estimate) if kept else None

    def _explain(self, what: events.Explained) -> None:
        now, ledger = self.now, self.world.ledger
        if what == "guide":
            self._tell(telling.guide(self._guide_of(now.run_id) if now.run_id else ""))
            return
        kept = ledger.plans.kept(now.plan_digest or ledger.runs.row(_made(now.run_id)).plan_digest)
        offer = now.offer if now.manifest == kept.manifest else None
        match what:
            case "details":
                self._tell(telling.details(kept.plan, kept.manifest, kept.review))
            case "why":
                self._tell(telling.why(kept.manifest, offer))
            case "arithmetic":
                self._tell(telling.arithmetic(kept.manifest))
            case "resources":
                self._tell(telling.resources(kept.manifest))
            case _:
                assert_never(what)

    def _guide_of(self, run_id: str) -> str:
        """Empty until a step has written it."""
        file = self.world.run_folder(run_id) / "guide.md"
        return file.read_text(encoding="utf-8") if file.exists() else ""

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
        guide = opening(self._guide_of(run_id)) if run.status == "done" and not run.left else ""
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
            known = Known(built=self._machines_built(), sizes=self._sizes())
            self._heard = now, goals.hear(self.text, now.request, catalogue(), now.asked, self.world.now().date(), now.before, known)
        return self._heard[1]

    def said(self, edits: Edits, offline: bool) -> events.Said:
        """With what the rules heard where a model heard nothing."""
        return events.Said(self.text, proving.fill_in(edits, self.hear_by_rule(), catalogue()), offline)


def _made(value: T | None) -> T:
    """A value that the reducer has seen to be there before it asked for this work."""
    assert value is not None
    return value
