"""What happens around every invocation: its message is made plain text before anything sees it, and its turn is forgotten when it ends."""

from __future__ import annotations

from google.adk.agents.invocation_context import InvocationContext
from google.adk.plugins import BasePlugin
from google.genai import types

from .state import end


class Turns(BasePlugin):
    def __init__(self) -> None:
        super().__init__(name="turns")

    async def on_user_message_callback(
        self, *, invocation_context: InvocationContext, user_message: types.Content
    ) -> types.Content | None:
        """JSON can hold half a surrogate pair, which is no character and can be written nowhere: it becomes a question mark."""
        for part in user_message.parts or []:
            if part.text:
                part.text = part.text.encode("utf-8", "replace").decode()
        return user_message

    async def after_run_callback(self, *, invocation_context: InvocationContext) -> None:
        end(invocation_context.invocation_id)
