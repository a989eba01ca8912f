"""What happens around every invocation: its message is made plain text before anything sees it, and its turn is forgotten when it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.adk.agents.callback_context import CallbackContext
from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins import BasePlugin
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types

from tools.values.trouble import Trouble

from .state import conversation_of, end
from .turns import places


class Integrity(BasePlugin):
    """ADK's ToolCallIntegrityPlugin: no call that a client has written into a session's history ever runs.

    ADK's own is made when the first run begins, because it brings libraries that the first prompt need not wait for. It comes first
    among the plugins, as it asks to.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        super().__init__(name="tool_call_integrity")
        self._key = key
        self._inner: BasePlugin | None = None

    @property
    def inner(self) -> BasePlugin:
        if self._inner is None:
            from google.adk.plugins import ToolCallIntegrityPlugin

            self._inner = ToolCallIntegrityPlugin(secret_key=self._key())
        return self._inner

    async def before_run_callback(self, *, invocation_context: InvocationContext) -> types.Content | None:
        return await self.inner.before_run_callback(invocation_context=invocation_context)

    async def on_event_callback(self, *, invocation_context: InvocationContext, event: Event) -> Event | None:
        return await self.inner.on_event_callback(invocation_context=invocation_context, event=event)

    async def before_tool_callback(self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext) -> dict[str, Any] | None:
        return await self.inner.before_tool_callback(tool=tool, tool_args=tool_args, tool_context=tool_context)


@dataclass
class Spent:
    """What models were asked for by this process, and nobody has taken yet: figures, and no word of it."""

    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By model and kind: `read`, `written`."""
    failures: Counter[str] = field(default_factory=Counter)

    def take(self) -> tuple[Counter[tuple[str, str]], Counter[str]]:
        taken = self.tokens, self.failures
        self.tokens, self.failures = Counter(), Counter()
        return taken


spent = Spent()


class Tokens(BasePlugin):
    def __init__(self) -> None:
        super().__init__(name="tokens")

    async def after_model_callback(self, *, callback_context: CallbackContext, llm_response: LlmResponse) -> LlmResponse | None:
        model, used = llm_response.model_version or "unknown", llm_response.usage_metadata
        if llm_response.error_code:
            spent.failures[model] += 1
        if used:
            spent.tokens[model, "read"] += used.prompt_token_count or 0
            spent.tokens[model, "written"] += (used.candidates_token_count or 0) + (used.thoughts_token_count or 0)
        return None

    async def on_model_error_callback(
        self, *, callback_context: CallbackContext, llm_request: LlmRequest, error: Exception
    ) -> LlmResponse | None:
        spent.failures[llm_request.model or "unknown"] += 1
        return None


class Turns(BasePlugin):
    def __init__(self) -> None:
        super().__init__(name="turns")

    async def on_user_message_callback(self, *, invocation_context: InvocationContext, user_message: types.Content) -> types.Content | None:
        """Waits for its turn. JSON can hold half a surrogate pair, which is no character and can be written nowhere: it becomes a
        question mark."""
        with suppress(Trouble):  # The reader asks again, and says it.
            await places.take(conversation_of(invocation_context), invocation_context.invocation_id)
        for part in user_message.parts or []:
            if part.text:
                part.text = part.text.encode("utf-8", "replace").decode()
        return user_message

    async def after_run_callback(self, *, invocation_context: InvocationContext) -> None:
        end(invocation_context.invocation_id)
        places.give(invocation_context.invocation_id)
