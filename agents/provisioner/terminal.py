"""In a terminal what is said is drawn, never printed as Markdown. `adk run` prints each event as it comes, after its author's name; so on
its way there an event is exchanged for a drawn one, by ADK's own callback. The session keeps what was said: ADK stores no partial event, so
the drawn one is partial, and the other one is stored here."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event
from google.adk.plugins import BasePlugin
from google.genai import types

from tools.rules.words.drawing import draw_markdown, is_progress

CLEAR = "\r\x1b[2K"
"""The line that the cursor is in: the author's name, which only says which agent spoke."""
UP = "\x1b[1A"


def has_terminal(argv: Sequence[str] | None = None) -> bool:
    """It is `adk run`, and what it prints goes to a terminal that can be drawn on."""
    argv = sys.argv if argv is None else argv
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and argv[1:2] == ["run"] and "--jsonl" not in argv


class Terminal(BasePlugin):
    def __init__(self) -> None:
        super().__init__(name="terminal")
        self._last_was_progress = False

    async def before_run_callback(self, *, invocation_context: InvocationContext) -> types.Content | None:
        self._last_was_progress = False  # By now a person has typed something below it.
        return None

    async def on_event_callback(self, *, invocation_context: InvocationContext, event: Event) -> Event | None:
        text = "".join(part.text or "" for part in (event.content.parts if event.content else None) or [])
        if not text or event.partial:
            return None
        await invocation_context.session_service.append_event(session=invocation_context.session, event=event)
        drawn = types.Content(role="model", parts=[types.Part(text=self._draw(text))])
        return Event(author=event.author, content=drawn, partial=True)

    def _draw(self, text: str) -> str:
        """What says only what is being done stands in one line, which the next one takes."""
        before = CLEAR + (UP + CLEAR if self._last_was_progress else "")
        self._last_was_progress = is_progress(text)
        columns = shutil.get_terminal_size().columns
        if self._last_was_progress:
            return before + text.strip().splitlines()[-1].strip()[: columns - 1]
        return before + draw_markdown(text, columns, colour="NO_COLOR" not in os.environ) + ("\n" if "\n\n" in text.strip() else "")
