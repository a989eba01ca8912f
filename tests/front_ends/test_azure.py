"""The data workspace of the sources in the terminal and in the browser: a pause for two approvals, and then a guide."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from cluster_sim.run import environment
from tests.conftest import ROOT, Chat
from tests.front_ends.browser import open_page, type_message, wait_for_words, web_ui
from tests.stories_azure.conftest import approve
from tests.values import opened

SENTENCE = "Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $8K/month"
PROMPT = r"\[user\]: ?"
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@pytest.fixture
def given(azure_world: tuple[dict[str, Any], Path], tmp_path: Path) -> dict[str, str]:
    """A home of its own, so that names are free, and one operator who holds the roles that the policy asks for."""
    ready, folder = azure_world
    roles = tmp_path / "roles.yaml"
    roles.write_text("principals:\n  somebody: [operator, vp, security]\n")
    return environment(ready, folder) | {"BERTH_HOME": str(tmp_path / "home"), "BERTH_ROLES_FILE": str(roles)}


def ask_of(chat: pexpect.spawn, text: str) -> str:
    chat.sendline(text)
    chat.expect(PROMPT, timeout=180)
    return COLOUR.sub("", str(chat.before))


@contextmanager
def terminal(given: dict[str, str]) -> Iterator[pexpect.spawn]:
    """`adk run` with the provisioner, at its prompt."""
    adk = str(Path(sys.executable).with_name("adk"))
    chat = pexpect.spawn(
        adk,
        ["run", "agents/provisioner"],
        cwd=ROOT,
        env=given,  # type: ignore[arg-type]
        encoding="utf-8",
        echo=False,
        timeout=180,
        dimensions=(50, 200),
    )
    try:
        if chat.expect([PROMPT, r"Enable telemetry\?.*: "]) == 1:
            chat.sendline("n")
            chat.expect(PROMPT)
        yield chat
        chat.sendline("exit")
        chat.expect(pexpect.EOF)
    finally:
        chat.close(force=True)


@pytest.mark.systems
def test_the_terminal(given: dict[str, str]) -> None:
    with terminal(given) as chat, opened(given) as world:
        [digest] = re.findall(r"approve ([0-9a-f]{12}) as vp", ask_of(chat, SENTENCE))
        assert f"approve {digest} as security" in ask_of(chat, f"approve {digest} as vp")
        done = ask_of(chat, f"approve {digest} as security")
        [run] = world.ledger.runs.rows()
        assert run.status == "done" and run.id in done, done[-2000:]
        told = ask_of(chat, "remove it")
        to_say = re.findall(r"    ((?:approve|confirm) [0-9a-f]{12}[^\r\n]*)", told)
        assert [line for line in to_say if line.endswith((" as vp", " as security"))], told
        removed = [ask_of(chat, line.strip()) for line in to_say][-1]
        assert world.ledger.runs.row(run.id).status == "removed" and run.id in removed, removed[-2000:]


@pytest.mark.systems
def test_the_browser(given: dict[str, str], tmp_path: Path) -> None:
    with web_ui(given, tmp_path / "web.log") as url, opened(given) as world:
        with open_page(url) as page:
            type_message(page, SENTENCE)
            digest = wait_for_words(page, "approve ([0-9a-f]{12}) as vp", 120)
            type_message(page, f"approve {digest} as vp")
            wait_for_words(page, f"approve {digest} as security[^]*approve {digest} as security", 60)
            type_message(page, f"approve {digest} as security")
            run = wait_for_words(page, "(run-[0-9a-z]+) is done", 180)
        # The subscription is shared by the whole session: it is left as it was found. What a removal looks like, the terminal has shown.
        chat = Chat(world, "provisioner/user/after", url, "after", "user").begin()
        chat.say(f"remove {run}")
        approve(chat)
        assert chat.run.status == "removed"
