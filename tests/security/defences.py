"""`python -m tests.security.defences [--only WORDS]` takes each defence of defences.yaml away in this checkout, runs the test that is to
see it, and puts it back: a test that passes without what it tests shows nothing. Begin in a checkout without changes."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEST_SECONDS_MAX = 1200
REASON_CHARACTERS = 120


@dataclass(frozen=True)
class Defence:
    attack: str
    file: str
    take: str
    """The text that is the defence; it stands in the file once."""
    instead: str
    test: str
    """What pytest is told."""
    besides: tuple[Mapping[str, str], ...] = ()
    """Where each of several holds the attack off alone: the others, with `file`, `take` and `instead`."""

    def without(self) -> dict[Path, str]:
        """What stands in its files then. Raises ValueError where it is not there once."""
        told = dict[Path, str]()
        for one in ({"file": self.file, "take": self.take, "instead": self.instead}, *self.besides):
            path = ROOT / one["file"]
            whole = told.get(path) or path.read_text()
            if whole.count(one["take"]) != 1:
                raise ValueError(f"{one['file']} has not once: {one['take']}")
            told[path] = whole.replace(one["take"], one["instead"])
        return told


def defences() -> list[Defence]:
    return [Defence(**row) for row in yaml.safe_load(Path(__file__).with_name("defences.yaml").read_text())]


def failure(one: Defence) -> str:
    """What its test says without it, in a line; empty when it passes all the same."""
    without = one.without()
    whole = {path: path.read_text() for path in without}
    try:
        for path, text in without.items():
            path.write_text(text)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *shlex.split(one.test)]
        ended = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TEST_SECONDS_MAX)
    finally:
        for path, text in whole.items():
            path.write_text(text)
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr  # Not: no test was found.
    said = [line[1:].strip() for line in ended.stdout.splitlines() if line.startswith("E ")]
    return (said or ["failed"])[0][:REASON_CHARACTERS] if ended.returncode else ""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--only", default="", help="those whose attack has these words")
    only = words.parse_args().only
    changed = subprocess.run(["git", "diff", "--quiet"], cwd=ROOT).returncode
    assert changed == 0, "commit first: what is taken away is put back as it was"
    wanted = [one for one in defences() if only in one.attack]
    unseen = 0
    for one in wanted:
        said = failure(one)
        unseen += not said
        print(f"{'seen    ' if said else 'NOT SEEN'}  {one.attack}: {said}", flush=True)
    print(f"{len(wanted) - unseen} passed, {unseen} failed")
    return int(unseen > 0)


if __name__ == "__main__":
    sys.exit(main())
