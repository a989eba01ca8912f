"""Stretches of time, and who spent them: Terraform's are written down by a program that stands in front of it, those of the world by a
wrapper
around `requests`. Neither touches Berth's own code."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Span = tuple[float, float]
"""Begin and end, in seconds of the wall clock."""


class Call(NamedTuple):
    """A span that knows what was asked."""

    began: float
    ended: float
    address: str


_RECORDER = """#!/bin/bash
# Runs Terraform and writes down when it began and ended.
began=$EPOCHREALTIME
{program} "$@"
code=$?
echo "$began $EPOCHREALTIME $1" >> {log}
exit $code
"""


class Recorder:
    """A program named `terraform` that is Terraform, and knows when it ran."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("terraform") or shutil.which("tofu")
        if program is None:
            raise SystemExit("The benchmarks need `terraform` or `tofu` on PATH: the floor is what it does when called bare.")
        self.bare = program
        self.log = folder / "terraform.log"
        self.program = folder / "terraform"
        self.program.write_text(_RECORDER.format(program=program, log=self.log))
        self.program.chmod(0o700)

    def spans(self, began: float, ended: float) -> list[Span]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = [(float(line.split()[0]), float(line.split()[1])) for line in lines]
        return [span for span in found if began <= span[0] and span[1] <= ended]


@contextmanager
def requests_timed() -> Iterator[list[Call]]:
    """Everything that proxmoxer and Azure's libraries send goes through this one method of `requests`."""
    from requests.adapters import HTTPAdapter

    spans: list[Call] = []
    guard = threading.Lock()
    before = HTTPAdapter.send

    def send(self: HTTPAdapter, request: Any, *arguments: Any, **named: Any) -> Any:
        began = time.time()
        try:
            return before(self, request, *arguments, **named)
        finally:
            with guard:
                spans.append(Call(began, time.time(), str(request.url)))

    HTTPAdapter.send = send  # type: ignore[method-assign]
    try:
        yield spans
    finally:
        HTTPAdapter.send = before  # type: ignore[method-assign]


def covered(spans: Iterable[Span | Call], began: float, ended: float) -> float:
    """Seconds between the two in which at least one of the spans was under way: what is done side by side counts once."""
    seconds, reached = 0.0, began
    for one, other in sorted((one, other) for one, other, *_ in spans):
        one, other = max(one, reached), min(other, ended)
        if other > one:
            seconds += other - one
            reached = other
    return seconds
