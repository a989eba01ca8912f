"""In a terminal an event is drawn on its way to `adk run`, and the session keeps what was said."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator
from types import ModuleType

import pytest
from google.adk.agents import BaseAgent
from google.adk.agents.invocation_context import InvocationContext
from google.adk.apps import App
from google.adk.events import Event
from google.adk.runners import InMemoryRunner
from google.genai import types

from tests.conftest import ROOT

SAID = ("Looking…", "Terraform is planning…", "**Done**: `db-01`")


@pytest.fixture(scope="module")
def terminal() -> ModuleType:
    """By itself: the app that it belongs to opens a world when it is loaded."""
    spec = importlib.util.spec_from_file_location("terminal", ROOT / "agents" / "provisioner" / "terminal.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Talker(BaseAgent):
    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        for text in SAID:
            yield Event(
                author=self.name, invocation_id=ctx.invocation_id, content=types.Content(role="model", parts=[types.Part(text=text)])
            )


async def talk(plugin: object) -> tuple[list[str], list[str]]:
    """(what `adk run` would print, what the session keeps)."""
    runner = InMemoryRunner(app=App(name="talk", root_agent=Talker(name="talker"), plugins=[plugin]))  # type: ignore[list-item]
    session = await runner.session_service.create_session(app_name="talk", user_id="u")
    hello = types.Content(role="user", parts=[types.Part(text="hello")])
    printed = [event async for event in runner.run_async(user_id="u", session_id=session.id, new_message=hello)]
    kept = await runner.session_service.get_session(app_name="talk", user_id="u", session_id=session.id)
    assert kept
    return [text_of(one) for one in printed], [text_of(one) for one in kept.events if one.author == "talker"]


def text_of(event: Event) -> str:
    return "".join(part.text or "" for part in (event.content.parts if event.content else None) or [])


def test_what_is_printed_is_drawn_and_what_is_kept_is_what_was_said(terminal: ModuleType) -> None:
    printed, kept = asyncio.run(talk(terminal.Terminal()))
    assert tuple(kept) == SAID
    assert all(one.startswith(terminal.CLEAR) for one in printed), "the author's name gives way"
    assert "**" not in printed[-1] and "Done" in printed[-1] and "db-01" in printed[-1]


def test_what_only_says_what_is_being_done_gives_way_to_the_next_line(terminal: ModuleType) -> None:
    printed, _ = asyncio.run(talk(terminal.Terminal()))
    assert [one.startswith(terminal.CLEAR + terminal.UP) for one in printed] == [False, True, True]
    again, _ = asyncio.run(talk(terminal.Terminal()))
    assert not again[0].startswith(terminal.CLEAR + terminal.UP), "never what a person typed"


@pytest.mark.parametrize(
    ("argv", "drawn"), [(["adk", "run", "x"], False), (["adk", "web"], False), (["adk", "run", "--jsonl", "x"], False)]
)
def test_only_adk_run_in_a_terminal_is_drawn(terminal: ModuleType, argv: list[str], drawn: bool) -> None:
    assert terminal.has_terminal(argv) is drawn, "these tests have no terminal"
