"""The loop of reviewer and refiner does not turn when nothing is to be reviewed."""

from __future__ import annotations

import asyncio
import warnings

from google.adk.agents import BaseAgent
from google.adk.runners import InMemoryRunner
from google.genai import types

from agents.provisioner.refinement.loop import build_loop


def test_a_message_without_a_manifest_turns_no_loop() -> None:
    entered: list[str] = []
    loop = build_loop()
    for agent in loop.sub_agents:
        agent.before_agent_callback = lambda callback_context: entered.append(callback_context.agent_name)

    async def say() -> int:
        runner = InMemoryRunner(agent=loop, app_name="loop")
        session = await runner.session_service.create_session(app_name="loop", user_id="operator")
        message = types.Content(role="user", parts=[types.Part(text="help")])
        return len([e async for e in runner.run_async(user_id="operator", session_id=session.id, new_message=message)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert isinstance(loop, BaseAgent) and asyncio.run(say()) == 0
    assert entered == []
