"""A conversation through the real agents, in this process, with the clock running. The front ends around them are not measured here."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.spans import Call, Recorder, Span, covered, requests_timed

ROOT = Path(__file__).parents[1]
APP, USER = "provisioner", "operator"


@dataclass
class Turn:
    """One message and what came of it."""

    began: float
    ended: float
    texts: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    """Of each call of a model."""
    terraform: list[Span] = field(default_factory=list)
    world: list[Call] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def own_seconds(self, until: float | None = None) -> float:
        """The whole time without that in which Terraform ran, or the world was being asked."""
        ended = until or self.ended
        return ended - self.began - covered([*self.terraform, *self.world], self.began, ended)

    @property
    def digest(self) -> str:
        found = re.findall(r"approve ([0-9a-f]{12})", "\n".join(self.texts))
        if not found:
            raise SystemExit(f"The conversation did not go on as it should:\n\n{self.texts[-1] if self.texts else '(silence)'}")
        return str(found[-1])

    @property
    def planned_run(self) -> str:
        """The run that the plan is for, as the ledger has it."""
        from provisioner.world import the_world

        return str(the_world().ledger.plans.find(self.digest).plan.run_id)


class Agents:
    """The app as every front end runs it. It is loaded when the first conversation begins."""

    def __init__(self, recorder: Recorder, home: Path) -> None:
        self.recorder = recorder
        self.home = home

    @cached_property
    def runner(self) -> Any:
        sys.path.insert(0, str(ROOT / "agents"))  # As ADK does.
        from google.adk.artifacts.in_memory_artifact_service import InMemoryArtifactService
        from google.adk.runners import Runner
        from provisioner.agent import app
        from provisioner.hosting import settle
        from provisioner.sessions import Sessions

        settle()  # As every front end does.
        return Runner(app=app, session_service=Sessions(self.home / "sessions.db"), artifact_service=InMemoryArtifactService())

    async def begin(self) -> str:
        session = await self.runner.session_service.create_session(app_name=APP, user_id=USER)
        return str(session.id)

    async def say(self, session: str, text: str) -> Turn:
        from google.genai import types
        from provisioner.connection import speaker

        from tools.values.person import Person

        speaker.set(Person(USER))  # Who sits at this machine; a front end would have found that out.
        message = types.Content(role="user", parts=[types.Part(text=text)])
        with requests_timed() as world:
            turn = Turn(began=time.time(), ended=0.0, world=world)
            async for event in self.runner.run_async(user_id=USER, session_id=session, new_message=message):
                if event.content:
                    turn.texts += [part.text for part in event.content.parts or [] if part.text]
                if event.usage_metadata:
                    turn.tokens.append(event.usage_metadata.total_token_count or 0)
            turn.ended = time.time()
        turn.terraform = self.recorder.spans(turn.began, turn.ended)
        return turn
