"""The things an operator may ask for, one folder each. A new folder is found by itself: no existing file is edited to add one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from tools.values.heard import Fact
from tools.values.manifest import Part
from tools.values.offer import PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.review import Finding
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, Target
from tools.values.wanted import Wanted


class Capability(Protocol):
    """What a capability's package offers (it is a module: these are its module-level names). All of it is pure."""

    NAME: str
    """The folder's name: `postgresql`."""
    TITLE: str
    """`PostgreSQL database`."""
    TARGET: Target
    WORDS: tuple[str, ...]
    """What people call it: `postgresql`, `postgres`, `database`."""
    EXAMPLES: tuple[str, ...]
    """Whole sentences that ask for it."""
    WANTED: tuple[Wanted, ...]

    @staticmethod
    def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
        """Facts → typed fields with units; what is missing; words that cannot be taken (0 cores, −5 GB), as sentences."""
        ...

    @staticmethod
    def offer(needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
        """Ranked candidates, ranges, exclusions with reasons, and a verified counter-offer when nothing fits."""
        ...

    @staticmethod
    def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
        """The part with no choice left. Raises RequestProblem when the pick is not in the offer."""
        ...

    @staticmethod
    def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """(findings, names of the checks that hold). `reserved` leaves out what this part itself reserved."""
        ...


class Changeable(Capability, Protocol):
    """A capability that may also offer these: what exists is changed in its place."""

    @staticmethod
    def stay(old: Part, needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
        """In the place of `offer`, for a part that exists: where it is, with what is asked for now."""
        ...

    @staticmethod
    def keep(old: Part, new: Part) -> Part:
        """The new part, with everything of the old one that a change must not lose: ids, names, places."""
        ...


class Located(Capability, Protocol):
    """A capability of a cloud may also offer these: what the scan has to look at for it."""

    @staticmethod
    def regions_of(needs: Needs, site: Site) -> tuple[str, ...]:
        """Regions to read quotas and sizes of, by their ARM names; empty: the scan chooses."""
        ...

    @staticmethod
    def names_to_check(needs: Needs, site: Site) -> tuple[str, ...]:
        """Globally unique names that it would take, as `Microsoft.Storage/storageAccounts:stx`."""
        ...


def located(capability: Capability) -> Located | None:
    return cast(Located, capability) if hasattr(capability, "regions_of") and hasattr(capability, "names_to_check") else None


def changeable(capability: Capability) -> Changeable | None:
    return cast(Changeable, capability) if hasattr(capability, "stay") and hasattr(capability, "keep") else None


@cache
def catalogue() -> dict[str, Capability]:
    """Every capability by name, in alphabetical order."""
    found = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__) if m.ispkg)
    return {c.NAME: c for c in (cast(Capability, module) for module in found)}
