"""`python -m tests.security.defences [--only WORDS] [--jobs N]` takes each defence of defences.yaml away, runs the test that is to see it,
and says what it saw: a test that passes without what it tests shows nothing. It works on copies of what is committed, so that whatever
ends it leaves this checkout whole."""

from __future__ import annotations

import argparse
import os
import shlex
import site
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

import yaml

ROOT = Path(__file__).parents[2]
TEST_SECONDS_MAX = 1200
"""What takes longer is ended, and counts as not seen."""
REASON_CHARACTERS = 120
TESTS_FAILED = 1
"""As pytest ends; with 0 all passed, and with anything else no test was run."""


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

    def without(self, root: Path = ROOT) -> dict[Path, str]:
        """What stands in its files then. Raises ValueError where it is not there once."""
        told = dict[Path, str]()
        for one in ({"file": self.file, "take": self.take, "instead": self.instead}, *self.besides):
            path = root / one["file"]
            whole = told.get(path) or path.read_text()
            if whole.count(one["take"]) != 1:
                raise ValueError(f"{one['file']} has not once: {one['take']}")
            told[path] = whole.replace(one["take"], one["instead"])
        return told


def defences() -> list[Defence]:
    return [Defence(**row) for row in yaml.safe_load(Path(__file__).with_name("defences.yaml").read_text())]


def copy(folder: Path) -> Path:
    """What is committed, with a Python that finds Berth there and all else where this one finds it; gives that Python."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    made, own = folder / ".venv" / "bin", Path(sys.executable).parent
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.parent], check=True)
    # Of another environment's packages, no .pth is read: the one that leads to this checkout is among them.
    [packages] = made.parent.glob("lib/python*/site-packages")
    (packages / "berth.pth").write_text("\n".join([str(folder), *site.getsitepackages()]) + "\n")
    for program in own.iterdir():
        if not (made / program.name).exists():
            text = program.read_bytes()
            if text.startswith(f"#!{own}".encode()):
                (made / program.name).write_bytes(text.replace(str(own).encode(), str(made).encode(), 1))
                (made / program.name).chmod(0o755)
            else:
                (made / program.name).symlink_to(program)
    return made / "python"


def failure(one: Defence, python: Path) -> tuple[str, str]:
    """(how it ended, what its test says without it in a line): `seen`, or why not."""
    root = python.parents[2]
    without = one.without(root)
    whole = {path: path.read_text() for path in without}
    for path, text in without.items():
        path.write_text(text)
    command = [str(python), "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *shlex.split(one.test)]
    environment = {**os.environ, "VIRTUAL_ENV": str(root / ".venv"), "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]])}
    try:
        ended = subprocess.run(
            command, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TEST_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        return "TOO LONG", f"not ended after {TEST_SECONDS_MAX} s"
    finally:
        for path, text in whole.items():
            path.write_text(text)
    said = [line[1:].strip() for line in ended.stdout.splitlines() if line.startswith("E ")]
    if ended.returncode == TESTS_FAILED:
        return "seen", (said or ["failed"])[0][:REASON_CHARACTERS]
    last = (ended.stdout + ended.stderr).strip().splitlines()[-1:] or [""]
    return ("NOT SEEN", "") if ended.returncode == 0 else ("NOT RUN", last[0][:REASON_CHARACTERS])


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--only", default="", help="those whose attack has these words")
    words.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at a time, each in a copy of its own")
    given = words.parse_args()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT).returncode
    assert changed == 0, "commit first: what is committed is tried"
    wanted, began, pythons = [one for one in defences() if given.only in one.attack], time.monotonic(), SimpleQueue[Path]()

    def tried(one: Defence) -> bool:
        python, since = pythons.get(), time.monotonic()
        try:
            how, said = failure(one, python)
        finally:
            pythons.put(python)
        print(f"{how:<8} {time.monotonic() - since:4.0f} s  {one.attack}: {said}", flush=True)
        return how == "seen"

    with ExitStack() as stack:
        for _ in range(given.jobs):
            pythons.put(copy(Path(stack.enter_context(TemporaryDirectory(prefix="berth-defences-")))))
        with ThreadPoolExecutor(given.jobs) as pool:
            seen = sum(pool.map(tried, wanted))
    print(f"{seen} passed, {len(wanted) - seen} failed in {time.monotonic() - began:.0f} s")
    return int(seen < len(wanted))


if __name__ == "__main__":
    sys.exit(main())
