"""A thing where a message names it: its words, those before its noun, and whether a size stands behind them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal, NamedTuple

from tools.rules.hearing.scene import Scene
from tools.rules.names.naming import repair
from tools.values.request import Request

ROLE_COUNT_MAX = 500
SMALL_SIZE_TOKENS_MAX = 8
Intro = Literal["new", "ref", "bare"]
"""`a database`, `the database`, `database`."""
TIMES = ("x", "×", "*")


class Lead(NamedTuple):
    """The words before a thing's noun."""

    start: int
    intro: Intro = "bare"
    number: int | None = None
    counted: tuple[int, int] = (0, 0)
    """Where that is said."""
    another: bool = False
    more: bool = False
    """So many more of what there is."""


@dataclass(frozen=True)
class Head:
    """A thing where it is named, by tokens `first` up to `last`."""

    capability: str
    lead: Lead
    first: int
    last: int
    body: bool = False
    """It names nothing but what services run on."""
    label: str = ""
    """Of the item that is meant, or a word that tells a new one from others of its kind."""
    role: str = ""
    adjectives: tuple[str, ...] = ()
    """Words before its noun that nothing is known of: `the payroll vm`."""
    again: bool = False
    """As the one before it, but for what is said of it."""
    only: str = ""
    """The name of the one of an item's machines that is meant."""
    names: tuple[str, ...] = ()
    """Of machines that nothing but their names stands for: `db-2 with 4 cores`."""

    @property
    def start(self) -> int:
        return self.lead.start

    @property
    def intro(self) -> Intro:
        return self.lead.intro


def is_whole(scene: Scene, number: int, most: int) -> bool:
    token = scene.token(number)
    return token.kind == "number" and 1 <= token.value <= most and token.value == int(token.value)


def free(text: str, request: Request) -> str:
    return free_label(repair(text) or "item", {item.label for item in request.items})


def free_label(text: str, taken: Container[str]) -> str:
    """`web_server`, `web_server-2`, …"""
    return next(one for one in chain([text], (f"{text}-{number}" for number in count(2))) if one not in taken)


def says_machine_size(scene: Scene, first: int, last: int, *, fully: bool = False) -> bool:
    """Whether the words that follow say how large a machine is; `fully`: in more than one figure."""
    end = min(max(scene.sentence(first)[1], first), last)
    sizes = sum(scene.kind(i) == "size" or "cpu_count" in scene.at(i).names("fact") for i in range(first, end))
    return sizes >= 2 or (sizes == 1 and not fully and end - first <= SMALL_SIZE_TOKENS_MAX)
