"""What the sources ask for, in all three front ends: the sentences as they stand there, and several capabilities in one request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, api_server
from tests.front_ends.browser import open_page, type_message, wait_for_words, web_ui
from tests.front_ends.test_azure import ask_of, terminal
from tests.values import opened

pytestmark = [pytest.mark.systems, pytest.mark.timeout(1200)]

Say = Callable[[str, str], str]
"""Types a text, and gives the last group of a pattern that is new in what comes of it."""
DIGEST = r"approve ([0-9a-f]{12})"
ASKED: dict[str, tuple[str, tuple[str, ...]]] = {
    "I need a PostgreSQL database for 100 concurrent users": ("production, network 20", ("postgresql",)),
    "Deploy a web application with load balancing": ("development, network 20, virtual address 10.20.0.200", ("web_tier",)),
    "Create a development environment": ("network 20", ("dev_environment",)),
    "Databricks, Azure OpenAI, and open port 443 from 10.1.0.0/16 on nsg-shared, for the ml team": (
        "in eastus",
        ("databricks", "azure_openai", "azure_firewall_ports"),
    ),
}
"""Sentence → (what is answered to what is asked, the parts of the one plan)."""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("sources")
    files = [str(WORLDS / f"{name}.yaml") for name in ("four_nodes", "azure_subscription")]
    with world(files, folder / "world", guests="none") as ready:
        yield environment(ready, folder)


@contextmanager
def by_http(given: dict[str, str], folder: Path) -> Iterator[Say]:
    with api_server(given, folder / "api_server.log") as berth:
        chat = berth.chat()

        def say(text: str, pattern: str) -> str:
            found = re.findall(pattern, chat.say(text).text)
            return found[-1] if found else ""

        yield say


@contextmanager
def in_the_terminal(given: dict[str, str], folder: Path) -> Iterator[Say]:
    with terminal(given) as chat:

        def say(text: str, pattern: str) -> str:
            found = re.findall(pattern, ask_of(chat, text))
            return found[-1] if found else ""

        yield say


@contextmanager
def in_the_browser(given: dict[str, str], folder: Path) -> Iterator[Say]:
    with web_ui(given, folder / "web.log") as url, open_page(url) as page:
        seen = ""

        def say(text: str, pattern: str) -> str:
            nonlocal seen
            type_message(page, text)
            if pattern == DIGEST:
                seen = wait_for_words(page, f"[^]*approve ((?!{seen or 'none'})[0-9a-f]{{12}})", 180)
                return seen
            return wait_for_words(page, pattern, 180)

        yield say


@pytest.mark.parametrize("front_end", [by_http, in_the_terminal, in_the_browser], ids=["http", "terminal", "browser"])
def test_what_the_sources_ask_for_becomes_a_plan(given: dict[str, str], tmp_path: Path, front_end: object) -> None:
    home = given | {"BERTH_HOME": str(tmp_path / "home")}
    planned: dict[str, tuple[str, ...]] = {}
    with front_end(home, tmp_path) as say, opened(home) as here:  # type: ignore[operator]
        for sentence, (answer, _) in ASKED.items():
            say(f"start over. {sentence}" if planned else sentence, r"\?|approve")
            digest = say(answer, DIGEST)
            planned[sentence] = tuple(part.capability for part in here.ledger.plans.find(digest).manifest.parts)
    assert planned == {sentence: parts for sentence, (_, parts) in ASKED.items()}
