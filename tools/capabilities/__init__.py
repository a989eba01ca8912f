"""The services an operator may ask for, one folder each. A new folder is found by itself: no existing file is edited to add one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol, cast

from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer, Pick
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.review import Finding
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.snapshot import PlatformName
from tools.values.wanted import Wanted

Reviewed = tuple[tuple[Finding, ...], tuple[str, ...]]
"""(findings, names of the checks that hold)"""


def nowhere(needs: Needs, site: Site) -> tuple[str, ...]:
    """Nothing in particular has to be looked at."""
    return ()


@dataclass(frozen=True)
class Footing:
    """How a service stands on one platform. All of it is pure."""

    understand: Callable[[tuple[Fact, ...], Site], Needs]
    """Facts → typed fields with units; what is missing; words that cannot be taken (0 cores, −5 GB), as sentences."""
    offer: Callable[[Needs, Situation], PartOffer]
    """Ranked candidates, ranges, exclusions with reasons, and a verified counter-offer when nothing fits."""
    compose: Callable[[Needs, PartOffer, Pick, Situation], Part]
    """The part with no choice left. Raises RequestProblem when the pick is not in the offer."""
    review: Callable[[Part, Situation], Reviewed]
    """Judges the part from scratch. What is reserved leaves out what this part itself reserved."""
    stay: Callable[[Part, Needs, Situation], PartOffer] | None = None
    """In the place of `offer`, for a part that exists: where it is, with what is asked for now. None: it cannot be changed in place."""
    keep: Callable[[Part, Part], Part] | None = None
    """(old, new) → the new part, with everything of the old one that a change must not lose: ids, names, places."""
    regions_of: Callable[[Needs, Site], tuple[str, ...]] = nowhere
    """Regions that the scan has to read quotas and sizes of; none: the scan chooses."""
    names_to_check: Callable[[Needs, Site], tuple[str, ...]] = nowhere
    """Globally unique names that it would take, as `Microsoft.Storage/storageAccounts:stx`; on a cluster, addresses."""
    watches: bool = False
    """What it makes watches other machines."""
    guide: str = "guide.md.j2"
    """The template of its guide, in the capability's folder."""
    grants: frozenset[str] = frozenset()
    """Kinds of wishes that it fulfils: they are handed to `understand` as facts, and no longer told as left out."""
    settled_by_world: frozenset[str] = frozenset()
    """Facts that are asked for, and that a look at the world may answer or suggest: then it is looked at before anything is asked."""
    settle: Callable[[Needs, Situation], Needs] = lambda needs, situation: needs
    """What of them the world leaves no choice about is taken and said; for the rest it is suggested what there is."""
    recount: Callable[[Needs, Candidate, Situation], Candidate] | None = None
    """A candidate with its sums and reasons made anew, for numbers that were settled otherwise than it was offered with, or beside other
    parts. None: it is offered once more, and looked up by its id."""


class Capability(Protocol):
    """What a capability's package offers (it is a module: these are its module-level names)."""

    NAME: str
    """The folder's name: `postgresql`."""
    TITLE: str
    """`PostgreSQL database`."""
    WORDS: tuple[str, ...]
    """What people call it: `postgresql`, `postgres`, `database`."""
    EXAMPLES: tuple[str, ...]
    """Whole sentences that ask for it."""
    WANTED: tuple[Wanted, ...]
    """The facts it asks for, on whichever platform."""
    ON: Mapping[PlatformName, Footing]
    """The platforms it can stand on; the first is taken where nothing tells which."""


@cache
def summary(name: str) -> str:
    """What it is, in a few sentences: the first paragraph of its README."""
    text = resources.files(f"{__name__}.{name}").joinpath("README.md").read_text(encoding="utf-8")
    return " ".join(text.split("\n\n")[1].split())


@cache
def catalogue() -> dict[str, Capability]:
    """Every capability by name, in alphabetical order."""
    found = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__) if m.ispkg)
    return {c.NAME: c for c in (cast(Capability, module) for module in found)}
