"""What happens around every invocation: its turn is forgotten when it ends."""

from __future__ import annotations

from google.adk.agents.invocation_context import InvocationContext
from google.adk.plugins import BasePlugin

from .state import end


class TurnsEnd(BasePlugin):
    def __init__(self) -> None:
        super().__init__(name="turns_end")

    async def after_run_callback(self, *, invocation_context: InvocationContext) -> None:
        end(invocation_context.invocation_id)
