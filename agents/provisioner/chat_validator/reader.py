"""Reads what a message is, and has the ones that are commands done: approve, cancel, retry, status, list, help and so on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event

from tools.values.trouble import Trouble

from ..connection import speaker
from ..stage import Stage, says
from ..state import begin, conversation_of, typed
from ..turns import AT_ONCE, places


class MessageReader(Stage):
    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        try:
            await places.take(conversation_of(ctx), ctx.invocation_id)  # One that goes on without a message of its own has no place yet.
            await asyncio.get_running_loop().run_in_executor(AT_ONCE, begin, ctx, speaker.get(), places.lease(ctx.invocation_id))
        except Trouble as trouble:  # the settings or the ledger: nothing can be done before that is mended
            from tools.pipeline.talk import answer_without_ledger

            yield says(self.name, ctx, answer_without_ledger(typed(ctx), trouble))
            return
        from tools.pipeline.engine import hear_ctrl_c

        # Here and not where the engine starts: a worker thread cannot hear Ctrl-C, and by now the front end has its own handler.
        hear_ctrl_c()
        async for event in super()._run_async_impl(ctx):
            yield event
