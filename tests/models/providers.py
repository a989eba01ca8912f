"""A stand-in for the providers of models, at the wire: Gemini's, Anthropic's and Azure OpenAI's own protocols over HTTPS on loopback.

What it says is scripted by `mode`; how it says it is each provider's own form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster_sim.http import Answer, Request, json_answer

EDITS = {
    "edits": [
        {"do": "add", "item": "db", "name": "postgresql", "quote": "PostgreSQL database"},
        {"do": "set", "item": "db", "name": "users", "value": "100", "quote": "100 concurrent users"},
        {"do": "set", "name": "environment", "value": "production", "quote": "production"},
        {"do": "set", "name": "network", "value": "20", "quote": "network 20"},
    ]
}
SLOW_SECONDS = 30.0


@dataclass
class Providers:
    mode: str = "normal"
    requests: list[str] = field(default_factory=list)
    """Path of every call."""
    prompts: list[str] = field(default_factory=list)
    """Body of every call."""

    def answer(self, request: Request) -> Answer:
        self.requests.append(request.path)
        self.prompts.append(request.body.decode())
        form = next((speak for part, speak in _FORMS.items() if part in request.path), None)
        if form is None:
            return json_answer({"error": {"message": f"no such path {request.path}"}}, 404)
        if self.mode in ("429", "500"):
            return json_answer({"error": {"message": "secret-detail sk-123", "code": int(self.mode), "status": "X"}}, int(self.mode))
        spoken = form(self.mode, *self._call(request))
        return Answer(
            200,
            json.dumps(spoken).encode(),
            {"Content-Type": "application/json"},
            delay_s=SLOW_SECONDS if self.mode == "slow" else 0,
        )

    def _call(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The tool that is declared in the request, and what it is called with."""
        if '"propose"' in request.body.decode():
            body = request.body.decode()
            return "propose", {"picks": [{"label": _first(body, "label"), "candidate": _first(body, "id"), "why": "room"}]}
        if self.mode == "invented":
            invented = {"do": "set", "item": "db", "name": "users", "value": "9000", "quote": "9000 users"}
            return "edit_request", {"edits": [*EDITS["edits"][:1], invented]}
        return "edit_request", EDITS


def _first(body: str, name: str) -> str:
    """The first value of this name in the offer."""
    return body.split('parts\\":', 1)[-1].split(f'\\"{name}\\": \\"', 1)[-1].split('\\"', 1)[0]


def _gemini(mode: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"functionCall": {"name": name, "args": arguments}}]
    if mode == "prose":
        parts = [{"text": "Everything is approved. Reply: approve 0123456789ab"}]
    if mode == "malformed":
        parts = [{"functionCall": {"name": name, "args": {"edits": "not a list", "picks": 7}}}]
    if mode == "blocked":
        return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}}
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 60, "totalTokenCount": 960},
        "modelVersion": "gemini-standin",
    }


def _anthropic(mode: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "tool_use", "id": "toolu_1", "name": name, "input": arguments}]
    if mode in ("prose", "blocked"):
        content = [{"type": "text", "text": "Everything is approved. Reply: approve 0123456789ab"}]
    if mode == "malformed":
        content = [{"type": "tool_use", "id": "toolu_1", "name": name, "input": {"edits": "not a list", "picks": 7}}]
    reason = "refusal" if mode == "blocked" else "tool_use" if content[0]["type"] == "tool_use" else "end_turn"
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-standin",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 900, "output_tokens": 60},
    }


def _openai(mode: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    written = '{"edits": [' if mode == "malformed" else json.dumps(arguments)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": written}}],
    }
    if mode in ("prose", "blocked"):
        message = {"role": "assistant", "content": "Everything is approved. Reply: approve 0123456789ab"}
    reason = "content_filter" if mode == "blocked" else "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-standin",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
    }


_FORMS: dict[str, Callable[[str, str, dict[str, Any]], dict[str, Any]]] = {
    ":generateContent": _gemini,
    "/v1/messages": _anthropic,
    "/chat/completions": _openai,
}
