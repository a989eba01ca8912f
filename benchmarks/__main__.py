"""Measures Berth's speed against its floors and prints a table of ratios; exit code 1 when a stated limit is missed."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import approvals, configuring, hearing, load, placement, prompts, requests, rules, scans, turns
from benchmarks.bench import Bench, opened
from benchmarks.rows import Row, table
from tools.values.trouble import Trouble

SECONDS_MAX = 900.0
"""No benchmark is begun after this time; those that were left out are named, and count as missed."""

BENCHMARKS: dict[str, tuple[Callable[[Bench], Iterator[Row]], str]] = {
    "prompt": (prompts.prompt, "until the first prompt of `adk run`, against the smallest agent"),
    "request": (requests.machine_request, "a PostgreSQL request to the plan shown, against bare terraform"),
    "workspace": (requests.workspace_request, "a data workspace's request to the plan shown, against bare terraform"),
    "parts": (requests.parts_request, "a request of ten parts to the plan shown, against bare terraform"),
    "approval": (approvals.approval, "an approval to the plan applied, against bare terraform apply"),
    "configuring": (configuring.configuring, "configuring ten machines, against one"),
    "models": (requests.model_calls, "calls of a model and tokens of every capability's request"),
    "policy": (rules.policy, "policy and cost of 200 resources"),
    "hearing": (hearing.hearing, "the offline reader on a sentence, 2 kB and 300 kB, and among 500 capabilities"),
    "turns": (turns.turns, "a turn at the end of a conversation of 200, against one at its beginning"),
    "load": (load.load, "a turn of 50 conversations at once with `berth serve`, against one of a conversation alone"),
    "scan": (scans.scanning, "one look at clusters of 4, 16 and 50 nodes"),
    "placement": (placement.placing, "how well and how fast machines are placed, beside peers, on a real cloud's requests"),
}


def main() -> int:
    names = "\n".join(f"  {name:<11} {what}" for name, (_, what) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=names, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help="this one; may be repeated")
    parser.add_argument("--times", type=int, default=5, help="repetitions of what takes seconds; their median counts (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there; - prints them instead of the table")
    chosen = parser.parse_args()
    if chosen.times < 1:
        parser.error("--times must be 1 or more")
    quiet()
    began = time.monotonic()
    rows: list[Row] = []
    left_out: list[str] = []
    with tempfile.TemporaryDirectory(prefix="berth-bench-") as folder, opened(Path(folder), chosen.times) as bench:
        for name in chosen.only or BENCHMARKS:
            if time.monotonic() - began > SECONDS_MAX:
                left_out.append(name)
                continue
            print(f"{name} …", file=sys.stderr, flush=True)
            bench.free()
            try:
                rows += BENCHMARKS[name][0](bench)
            except (SystemExit, Trouble) as stopped:  # It says why in a sentence; the others go on.
                print(stopped, file=sys.stderr)
                left_out.append(name)
        _close()
    say(rows, left_out, chosen.json, time.monotonic() - began)
    return 0 if all(row.holds for row in rows) and not left_out else 1


def say(rows: list[Row], left_out: list[str], file: Path | None, seconds: float) -> None:
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": os.getloadavg(),
        "seconds": seconds,
    }
    if file is not None:
        text = json.dumps({**about, "rows": [row.as_json() for row in rows], "left_out": left_out}, indent=2)
        if str(file) == "-":
            print(text)
            return
        file.write_text(text + "\n")
    print(table(rows))
    print(f"\n{about['at']}, {about['machine']}, load {os.getloadavg()[0]:.1f}, {seconds:.0f} s in all")
    if left_out:
        print(f"Not measured (the time was up, or see above): {', '.join(left_out)}.")
    for row in rows:
        if not row.holds:
            print(f"Missed: {row.what}.")


def machine() -> str:
    names = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{os.cpu_count()} x {names[0] if names else platform.machine()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(path).read_text().splitlines()
    return []


def quiet() -> None:
    """ADK's warnings of experimental features and our own log are no part of the table."""
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)


def _close() -> None:
    """Ends the engine, if a conversation has started it."""
    if "tools.pipeline.engine" in sys.modules:
        from tools.pipeline.engine import close

        close()


if __name__ == "__main__":
    sys.exit(main())
