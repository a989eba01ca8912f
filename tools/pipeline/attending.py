"""Attends to a Terraform that is at work: says what it says, stops it when the run is cancelled, and tells how it ended. What it is begun
with is tools.pipeline.applying's."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tools.clients import detached
from tools.clients.detached import Phase
from tools.clients.files import in_words
from tools.clients.process import INTERRUPT_SECONDS_MAX
from tools.clients.terraform import Terraform
from tools.clients.terraform_words import event_of, problem_of_events, progress_of
from tools.pipeline.run_folder import secret_texts
from tools.pipeline.steps import Work
from tools.values.trouble import RequestProblem, Trouble, WorldProblem
from tools.values.value import Json

LOOK_SECONDS = 0.1
CANCEL_LOOKS_APART = 5
APPLY_SECONDS_MAX = 6 * 3600.0
UNREAD_SECONDS_MAX = 600.0
"""For which what Terraform says may be out of reach before a person is asked to look."""


class Cancelled(RequestProblem):
    """The run was stopped on purpose."""

    def __init__(self) -> None:
        super().__init__(
            "The run was stopped.",
            "It was cancelled; what Terraform had made by then is kept in its state.",
            "Say retry to go on, roll back to plan the way back, or leave.",
        )


def attend(work: Work, place: Path) -> Json:
    """Until it ends, whoever started it. Terraform lives without us, so a folder that cannot be read for a while ends nothing."""
    attending, unread = _Attending(work, place), 0
    for _ in range(int(APPLY_SECONDS_MAX / LOOK_SECONDS)):
        try:
            ended, unread = attending.look(), 0
        except OSError as error:
            ended, unread = False, unread + 1
            _bear(work, error, unread)
        if ended:
            return _ended(work, place, attending.interrupted_at is not None)
        time.sleep(LOOK_SECONDS)
    raise WorldProblem(
        "Terraform takes too long.",
        f"It has been working for {APPLY_SECONDS_MAX / 3600:.0f} hours.",
        "Say retry to attend to it again.",
    )


def _bear(work: Work, error: OSError, times: int) -> None:
    """What Terraform says could not be read so many times on end."""
    detail = in_words(error).detail
    if times * LOOK_SECONDS >= UNREAD_SECONDS_MAX:
        raise WorldProblem(
            "What Terraform says cannot be read.",
            f"{detail} Terraform may still be at work on {work.part.label}.",
            "Say retry to attend to it again, once the run's folder can be read.",
        )
    if times == 1:
        with suppress(OSError):  # The journal may be in the same folder.
            work.say(f"What Terraform says cannot be read now, and Terraform goes on meanwhile. {detail}")


def _killed() -> WorldProblem:
    return WorldProblem(
        "Terraform was killed.",
        "It ended without a word while it was changing the world; its state holds all it had finished, "
        "and what it was in the middle of may stand half made.",
        "Say retry to make it whole, roll back to plan the way back, or leave.",
        retryable=True,
    )


def _ended(work: Work, place: Path, interrupted: bool) -> Json:
    code = detached.code(place)
    work.world.ledger.audit.record(
        work.world.now(),
        "applied",
        run_id=work.run_id,
        part=work.part.label,
        plan=work.plan.digest,
        code=code,
        state=_record_sha256(work),
    )
    if code != 0:
        (place / "told").touch(mode=0o600)
        if interrupted:
            raise Cancelled
        if code < 0:
            raise _killed()
        said = (place / "output").read_text(errors="replace")
        raise problem_of_events("Terraform could not finish.", said, terraform_of(work).secrets)
    terraform = terraform_of(work)
    outputs = _outputs(place) if work.kind != "remove" else {}
    return {
        "outputs": outputs if outputs is not None else terraform.outputs(),
        "providers": [list(one) for one in terraform.providers()],
    }


def _record_sha256(work: Work) -> str:
    """A record that cannot be reached now does not hide how the apply ended."""
    try:
        return terraform_of(work).record_sha256()
    except Trouble as trouble:
        return f"not read: {trouble.detail}"


def _outputs(place: Path) -> dict[str, Json] | None:
    """As the last event of the apply gave them; None when it gave none."""
    for line in reversed((place / "output").read_text(errors="replace").splitlines()):
        event = event_of(line)
        if event and event.get("type") == "outputs":
            return {name: one.get("value") for name, one in (event.get("outputs") or {}).items() if not one.get("sensitive")}
    return None


def terraform_of(work: Work, folder: Path | None = None) -> Terraform:
    """In the part's folder, or elsewhere with its secrets."""
    return Terraform(work.world.settings_of(work.part), folder or work.part_folder, secret_texts(work.run_folder, work.part))


class _Attending:
    """Says what Terraform says, and stops it when the run is cancelled."""

    def __init__(self, work: Work, place: Path) -> None:
        self._work = work
        self._place = place
        self._lines = _Lines(place / "output")
        self._called = {change.address: "" if change.act else change.name for change in work.part_plan.changes}
        self._looks = 0
        self._terminated = False
        self.interrupted_at: float | None = None

    def look(self) -> bool:
        """Whether it has ended. Raises OSError when that cannot be seen, and WorldProblem when it was killed."""
        phase = detached.phase(self._place)
        for number, line in self._lines.fresh():
            event = event_of(line)
            if text := progress_of(event, self._called) if event else "":
                self._work.tell(text, f"{self._work.part.label} {self._place.name} {number}")
        if phase is Phase.NEVER and not self._place.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._place))  # A shared folder that is away looks so.
        if phase in (Phase.DIED, Phase.NEVER):
            raise _killed()
        if phase is Phase.ALIVE:
            self._stop_when_cancelled()
        return phase is Phase.ENDED

    def _stop_when_cancelled(self) -> None:
        self._looks += 1
        if self.interrupted_at is None:
            if self._looks % CANCEL_LOOKS_APART == 1 and self._work.cancelled():
                self._work.say("Stopping: Terraform finishes what it is in the middle of.")
                detached.signal_it(self._place, signal.SIGINT)
                self.interrupted_at = time.monotonic()
        elif not self._terminated and time.monotonic() - self.interrupted_at > INTERRUPT_SECONDS_MAX:
            detached.signal_it(self._place, signal.SIGTERM)
            self._terminated = True


class _Lines:
    """Whole lines of a file that grows, each once, with its number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._number = 0

    def fresh(self) -> Iterator[tuple[int, str]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole, mark, _ = content.rpartition(b"\n")
        if not mark:
            return
        for line in whole.split(b"\n"):
            self._offset += len(line) + 1  # One that is said in vain takes no other with it.
            self._number += 1
            yield self._number, line.decode(errors="replace")
