"""Requests as files, beside the conversation: what one asks for is shown, written as YAML, and read from it. What was read is kept under a
name of its own, by which any conversation can take it up."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from tools.capabilities import catalogue, chain
from tools.pipeline.world import World
from tools.rules.request.editing import apply
from tools.rules.request.filing import PROBLEMS_SHOWN_MAX, SEE, read_file
from tools.values.conversation import Conversation
from tools.values.request import Request
from tools.values.requirements import Requirements
from tools.values.trouble import RequestProblem

_STORED = TypeAdapter(Conversation)
NAME_DIGITS = (8, 16, 64)
"""Of its digest: as few as tell it from the others."""
KEPT = "request/"
"""In front of the name of a request that was read from a file."""


def keep(world: World, request: Request) -> str:
    """Its name, by which a conversation takes it up. The same request has the same name, and no other one has it: eight digits alone can be
    made to fit."""
    stored = _STORED.dump_python(Conversation(request=request), mode="json")
    names = [f"request-{request.digest[:digits]}" for digits in NAME_DIGITS]
    name = next(one for one in names if world.ledger.get(KEPT + one).get("request", stored["request"]) == stored["request"])
    world.ledger.put(KEPT + name, stored)
    return name


def take_in(world: World, text: str) -> tuple[str, Request, Requirements]:
    """(its name, the file's request, what it comes to). Raises RequestProblem for what cannot be taken."""
    request, refused = apply(Request(), read_file(text), catalogue())
    if refused or not request.items:
        reasons = [f"“{edit.quote}”: {reason}" for edit, reason in refused[:PROBLEMS_SHOWN_MAX]] or ["It asks for nothing."]
        raise RequestProblem("The request file cannot be taken.", " ".join(reasons), SEE)
    return keep(world, request), request, chain.understand(request, world.site, world.settings.operator)


def find(world: World, name: str) -> Conversation:
    """By the name of a request that was kept, or of a conversation: its whole name, or the session's. Raises RequestProblem."""
    known = world.ledger.conversations()
    found = [one for one in known if name in (one, one.removeprefix(KEPT), one.rsplit("/", 1)[-1])]
    if len(found) != 1:
        listed = ", ".join(one.removeprefix(KEPT) for one in known[-10:]) or "none"
        raise RequestProblem(
            "That names no request.",
            f"{len(found) or 'No'} conversations are called {name}." if name else "There are several conversations.",
            f"Name one of these: {listed}.",
        )
    try:
        return _STORED.validate_python(world.ledger.get(found[0]))
    except ValidationError as error:
        raise RequestProblem("Something stored cannot be read.", f"{found[0]} is damaged.", "Name another one.") from error
