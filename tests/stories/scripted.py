"""A model of the tests' own at the wire: Gemini's protocol over HTTPS on loopback, whose every tool call is handed in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_sim.authority import make_authority
from cluster_sim.http import Answer, Request, Server, json_answer
from tests.conftest import Berth, api_server

Part = dict[str, Any]
Plays = Callable[[str, str, int], list[Part]]
"""(the tool it is offered, the whole prompt, which call of that tool this is) → the parts of its answer."""


def call(name: str, **arguments: Any) -> Part:
    return {"functionCall": {"name": name, "args": arguments}}


@dataclass
class Scripted:
    """Says what `plays` says. Keeps every prompt."""

    plays: Plays
    prompts: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)

    def begin(self, plays: Plays) -> None:
        self.plays = plays
        self.prompts.clear()
        self.calls.clear()

    def answer(self, request: Request) -> Answer:
        body = request.body.decode()
        self.prompts.append(body)
        tool = "propose" if '"propose"' in body else "edit_request"
        self.calls[tool] = number = self.calls.get(tool, 0) + 1
        return json_answer(
            {
                "candidates": [{"content": {"role": "model", "parts": self.plays(tool, body, number)}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 60, "totalTokenCount": 960},
                "modelVersion": "gemini-scripted",
            }
        )


def hears(capability: str, anew: bool = True, **facts: tuple[str, str]) -> Part:
    """`name=(value, quote)`; of an item that is new, or of the one there is."""
    added = {"do": "add", "item": capability, "name": capability, "value": "", "quote": quote_of(capability)}
    said = [{"do": "set", "item": capability, "name": name, "value": value, "quote": quote} for name, (value, quote) in facts.items()]
    return call("edit_request", edits=[added, *said] if anew else said)


def quote_of(capability: str) -> str:
    """The words of the stories' sentences that ask for it."""
    return {"web_server": "web servers", "postgresql": "PostgreSQL database"}[capability]


def picks(capability: str, candidate: str, why: str = "room", quote: str = "", **numbers: float) -> Part:
    settings = [{"name": name, "value": value, "why": "growth"} for name, value in numbers.items()]
    return call("propose", picks=[{"label": capability, "candidate": candidate, "why": why, "quote": quote, "settings": settings}])


def offered_in(prompt: str) -> list[str]:
    """The candidates' ids, as any model could read them."""
    text = json.dumps(json.loads(prompt), ensure_ascii=False).replace('\\"', '"').replace("\\\\n", "\n").replace("\\n", "\n")
    block = text.split("```json\n", 1)[1].split("\n```", 1)[0]
    return [str(c["id"]) for part in json.loads(block)["parts"] for c in part["candidates"]]


@contextmanager
def scripted_berth(given: Mapping[str, str], here: Path, plays: Plays) -> Iterator[tuple[Berth, Scripted]]:
    """(a server whose agents run on the scripted model, the model)."""
    here.mkdir(parents=True, exist_ok=True)
    model = Scripted(plays)
    authority = make_authority(here / "ca")
    server = Server(model.answer, authority.server_tls("models")).start()
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(authority.ca_file))
    address = {"GOOGLE_API_KEY": "k-canary-123456", "GOOGLE_GEMINI_BASE_URL": f"https://localhost:{server.port}"}
    try:
        with api_server({**given, **trust, **address, "BERTH_HOME": str(here / "home")}, here / "api_server.log") as berth:
            yield berth, model
    finally:
        server.stop()
