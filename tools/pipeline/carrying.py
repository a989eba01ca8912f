"""Carries one run through its steps and keeps its books. Which process does so, and when, belongs to tools.pipeline.engine."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tools.clients import tracing
from tools.clients.files import in_words, write_private
from tools.clients.process import plain
from tools.ledger.database import LedgerAway
from tools.ledger.leases import Lease
from tools.pipeline.attending import Cancelled
from tools.pipeline.drafting import settle_promises
from tools.pipeline.noticing import run_ended
from tools.pipeline.platforms import hands
from tools.pipeline.run_folder import secret_texts, write_value
from tools.pipeline.side_by_side import side_by_side
from tools.pipeline.steps import Step, Steps, Work, part_receipt, waits_of
from tools.pipeline.world import World
from tools.values.manifest import Part
from tools.values.run import Receipt, RunStatus, StepRecord
from tools.values.trouble import Trouble
from tools.values.value import Json

CANCEL_LOOK_SECONDS = 0.5


@dataclass
class Carrier:
    """One run in the hands of one process, which holds its lease."""

    world: World
    run_id: str
    lease: Lease
    steps: Steps
    resumed: bool
    stopping: threading.Event
    """Set by Ctrl-C in this process."""
    _looked_at: float = 0.0
    _cancel_wanted: bool = False

    def __post_init__(self) -> None:
        self.world = self.world.carrying(self.lease, self.world.ledger.runs.row(self.run_id).tenant)

    def parts(self) -> Json:
        """Every part's steps in their order, and independent parts side by side. The ledger remembers what became of each step, so whoever
        takes the run up comes to the same place. A part that failed takes with it only the parts that need it."""
        ledger = self.world.ledger
        run = ledger.runs.get(self.run_id)
        kept = ledger.plans.kept(run.plan_digest)
        places: dict[str, list[int]] = {}
        for place, step in enumerate(run.steps):  # As laid out when it began.
            places.setdefault(step.part, []).append(place)
        waits = waits_of(kept.plan, kept.manifest, places)
        side_by_side(waits, lambda part: self._part(places[part]), lambda part: self._skip(places[part]))
        return {}

    def _part(self, places: Sequence[int]) -> bool:
        if self.cancelled() and not self.world.ledger.runs.get(self.run_id).steps[places[0]].attempt:
            self._skip(places, "the run was stopped")
            return False
        for number, place in enumerate(places):
            if not self.step(place):
                self._skip(places[number + 1 :])
                return False
        return True

    def step(self, place: int) -> bool:
        """Traced, below the message that began or retried the run."""
        step = self.world.ledger.runs.get(self.run_id).steps[place]
        told: dict[str, str | int] = {"run": self.run_id, "part": step.part, "step": step.name, "attempt": step.attempt + 1}
        with tracing.kept(self.world.run_folder(self.run_id)), tracing.span(f"step {step.name}", **told) as fail:
            if not (done := self._step(place)):
                fail()
            return done

    def _step(self, place: int) -> bool:
        """Does one step unless it came to its end; True when it is done afterwards. Trouble is written down, not raised."""
        ledger = self.world.ledger
        run = ledger.runs.get(self.run_id)
        record = run.steps[place]
        if record.status in ("done", "failed"):
            return record.status == "done"  # What failed was told, and waits for a person.
        kept = ledger.plans.kept(run.plan_digest)
        part = kept.manifest.part(record.part)
        step = self._named(record.name)
        action = step.undo if kept.plan.kind == "remove" or part in kept.manifest.taken_back else step.do
        assert action is not None, "a removal has the steps that undo something"
        secrets = (*self.world.settings.secret_texts(), *secret_texts(self.world.run_folder(self.run_id), part))

        def tell(text: str, key: str) -> None:
            self._tell(record.part, record.name, plain(text, secrets), key)
            # Steps that say something now and then are stopped between two lines; `apply` stops Terraform itself, gently.
            if not step.stops_itself and self.cancelled():
                raise Cancelled

        record = record.model_copy(
            update={
                "status": "running",
                "attempt": record.attempt + 1,
                "started_at": self.world.now(),
                "summary": "",
                "remedy": "",
            }
        )
        ledger.runs.put_step(self.lease, self.run_id, place, record)
        work = Work(
            world=self.world,
            run_id=self.run_id,
            kept=kept,
            part=part,
            step=record.name,
            lease=self.lease,
            results=ledger.runs.results(self.run_id, record.part),
            resumed=self.resumed,
            cancelled=self.cancelled,
            look_again=self.steps[0].do,
            tell=tell,
        )
        try:
            if not step.stops_itself and self.cancelled():
                raise Cancelled  # `apply` looks first: somebody else may have left a Terraform that must be stopped.
            result = action(work)
        except LedgerAway:
            raise  # No failure of the step: the run is taken up again when the ledger answers.
        except (Trouble, OSError) as error:
            trouble = in_words(error) if isinstance(error, OSError) else error
            off = self._switched_off(part) if action is step.do and record.name != "recheck" else ()
            self._fail(
                place,
                record,
                plain(str(trouble.summary), secrets),
                plain(" ".join((trouble.detail, *(one for one in off if one not in trouble.detail))), secrets),
                plain(trouble.remedy, secrets),
            )
            return False
        except Exception:
            # Our own mistake. The operator gets a sentence, the journal the trace; the run stops where it can go on.
            trace = write_private(
                self.world.run_folder(self.run_id) / f"fault-{record.part}.log", plain(traceback.format_exc(), secrets, 100_000)
            )
            self._fail(
                place,
                record,
                "Berth made a mistake.",
                f"The step {record.name} failed; {trace} says where.",
                "Say retry, and report it.",
            )
            return False
        done = record.model_copy(update={"status": "done", "ended_at": self.world.now(), "summary": f"{record.name} is done."})
        ledger.runs.put_step(self.lease, self.run_id, place, done, result if result is not None else {})
        return True

    def _switched_off(self, part: Part) -> tuple[str, ...]:
        """Trouble is not told without what it left switched off."""
        try:
            return hands(part.platform).switched_off(self.world.settings_of(part), part)
        except Trouble:
            return ()

    def _named(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def _skip(self, places: Sequence[int], because: str = "an earlier step failed") -> None:
        steps = self.world.ledger.runs.get(self.run_id).steps
        for place, record in ((place, steps[place]) for place in places if steps[place].status != "done"):
            reason = f"{record.name} was not begun, because {because}."
            skipped = record.model_copy(update={"status": "skipped", "summary": reason})
            self.world.ledger.runs.put_step(self.lease, self.run_id, place, skipped)

    def end(self) -> RunStatus:
        """The run's last entry: done when every step is, removed after a removal, stopped otherwise."""
        ledger = self.world.ledger
        run = ledger.runs.get(self.run_id)
        kept = ledger.plans.kept(run.plan_digest)
        complete = all(step.status == "done" for step in run.steps)
        status: RunStatus = "stopped" if not complete else "removed" if kept.plan.kind == "remove" else "done"
        receipt = None if kept.plan.kind == "remove" else self._receipt(run.plan_digest)
        folder = self.world.run_folder(self.run_id)
        if status == "done":
            self._tell("", "end", "Done. Everything is in place.", f"end {run.plan_digest}")
        elif status == "removed":
            self._tell("", "end", "Everything that this run had made is removed.", f"end {run.plan_digest}")
        else:
            failed = next((step for step in run.steps if step.status == "failed"), None)
            why = f"{failed.summary} {failed.remedy}" if failed else "It was stopped."
            self._tell("", "end", f"Stopped. {why}".strip(), "")
        if receipt is not None:
            write_value(folder / "receipt.json", receipt)  # After a word in the ledger: whoever was cut off has learnt it there.
        if status in ("done", "removed"):
            # A snapshot shows it by now, or it is gone.
            settle_promises(self.world, self.run_id, kept.family, kept.manifest.parts if status == "done" else ())
        ledger.runs.end(self.lease, self.run_id, status, self.world.now(), receipt, run.plan_digest)
        run_ended(self.world, self.run_id)
        return status

    def give_up(self, error: Exception) -> None:
        """Our own mistake outside any step: the run stops where it can go on, instead of being taken up again and again."""
        plan_digest = self.world.ledger.runs.row(self.run_id).plan_digest
        folder = self.world.run_folder(self.run_id)
        made = [secret for part in self.world.ledger.plans.kept(plan_digest).manifest.parts for secret in secret_texts(folder, part)]
        text = plain("".join(traceback.format_exception(error)), (*self.world.settings.secret_texts(), *made), 100_000)
        trace = write_private(folder / "fault.log", text)
        self._tell("", "end", f"Stopped. Berth made a mistake; {trace} says where. Say retry, and report it.", "")
        self.world.ledger.runs.end(self.lease, self.run_id, "stopped", self.world.now(), None, plan_digest)
        run_ended(self.world, self.run_id)

    def cancelled(self) -> bool:
        if self.stopping.is_set():
            return True
        if time.monotonic() - self._looked_at > CANCEL_LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._cancel_wanted = self.world.ledger.runs.row(self.run_id).cancel_wanted
        return self._cancel_wanted

    def _fail(self, place: int, record: StepRecord, summary: str, detail: str, remedy: str) -> None:
        text = f"{summary} {detail}".strip()
        failed = record.model_copy(update={"status": "failed", "ended_at": self.world.now(), "summary": text, "remedy": remedy})
        self.world.ledger.runs.put_step(self.lease, self.run_id, place, failed)
        self._tell(record.part, record.name, f"{text} {remedy}".strip(), "")

    def _receipt(self, plan_digest: str) -> Receipt | None:
        """Of every part that was applied, also of a run that stopped: what exists must be told."""
        run = self.world.ledger.runs.get(self.run_id)
        gone = {part.label for part in self.world.ledger.plans.kept(plan_digest).manifest.taken_back}
        applied = [step.part for step in run.steps if step.name == "apply" and step.status == "done" and step.part not in gone]
        if not applied:
            return None
        guide = self.world.run_folder(self.run_id) / "guide.md"
        return Receipt(
            run_id=self.run_id,
            plan_digest=plan_digest,
            parts=tuple(part_receipt(name, self.world.ledger.runs.results(self.run_id, name)) for name in applied),
            guide=str(guide) if guide.exists() else "",
            undo=f"remove {self.run_id}",
        )

    def _tell(self, part: str, step: str, text: str, key: str) -> None:
        now = self.world.now()
        self.world.ledger.runs.say(self.run_id, now, part, step, text, key, self.lease)
        _journal(self.world.run_folder(self.run_id) / "journal.log", now, part, step, text)


def carry(carrier: Carrier, do: Callable[[str, Callable[[], Json]], Json]) -> Json:
    """`do` remembers across deaths that one of the two came to its end. Which part is done first differs from one try to the next, so what
    became of parts and steps is the ledger's to remember."""
    do("parts", carrier.parts)
    return do("end", lambda: {"status": carrier.end()})


def _journal(path: Path, now: datetime, part: str, step: str, text: str) -> None:
    line = " ".join(f"{now:%Y-%m-%d %H:%M:%S} {part} {step} {text}".split())
    path.touch(mode=0o600)
    with path.open("a") as file:
        file.write(line + "\n")
