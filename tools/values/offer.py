"""What the rules allow: ranked candidates, ranges, and the reason for every exclusion. A model may only pick among these."""

from __future__ import annotations

from math import inf

from tools.values.machine import Placement
from tools.values.requirements import Source
from tools.values.value import Named, Value


def _short(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


class Sum(Value):
    """One line of arithmetic that anybody can check: `terms` add up to `total`, which must not pass `limit`."""

    subject: str
    """`memory of pve2`, `vCPU family NCADSA100v4 in eastus`."""
    unit: str
    terms: tuple[tuple[str, float], ...]
    total: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.total <= self.limit

    @property
    def fullness(self) -> float:
        """Share of the limit that is taken: 1 is exactly full."""
        return self.total / self.limit if self.limit > 0 else inf

    @property
    def scaled(self) -> Sum:
        """The same in the unit that people would say it in."""
        if self.unit != "MiB":
            return self
        terms = tuple((name, value / 1024) for name, value in self.terms)
        return Sum(subject=self.subject, unit="GiB", terms=terms, total=self.total / 1024, limit=self.limit / 1024)

    @property
    def written(self) -> str:
        """8 (promised to guests) + 4 (this request) = 12"""
        terms = " + ".join(f"{_short(value)} ({name})" for name, value in self.terms if value)
        return f"{terms or '0'} = {_short(self.total)}"

    @property
    def spelt(self) -> str:
        """memory of pve2: 8 (promised to guests) + 4 (this request) = 12 of 25.6 GiB"""
        said = self.scaled
        return f"{said.subject}: {said.written} of {_short(said.limit)} {said.unit}"


class Candidate(Value):
    """A complete choice for one part."""

    id: str
    """Short and safe to say: `pve2/ceph-vm`, `spread`, `eastus/t4`."""
    title: str
    score: float
    """0..1, higher is better; how it is made up stands in `reasons`."""
    reasons: tuple[str, ...]
    binding: str = ""
    """The constraint that would be hit first."""
    sums: tuple[Sum, ...] = ()
    places: tuple[Placement, ...] = ()
    """Of machines, one each."""
    choice: Named = ()
    """Whatever else is chosen, for the capability's own `compose`."""


class Exclusion(Value):
    subject: str
    reason: str


class Range(Value):
    """A number that may be settled within limits."""

    name: str
    low: float
    high: float
    default: float
    unit: str = ""
    source: Source | None = None
    because: str = ""


class PartOffer(Value):
    label: str
    """Of the item."""
    candidates: tuple[Candidate, ...]
    """Best first. Empty when nothing fits: then `exclusions` say why and `counter_offer` what would."""
    exclusions: tuple[Exclusion, ...] = ()
    ranges: tuple[Range, ...] = ()
    summary: str = ""
    """The capacity in a few lines, whatever the size of the cluster."""
    counter_offer: str = ""
    """The smallest change that would fit, in a whole sentence, verified by running the rules with it."""


class Offer(Value):
    requirements_digest: str
    snapshot_digests: tuple[str, ...]
    parts: tuple[PartOffer, ...]


class Pick(Value):
    label: str
    """Of the item."""
    candidate: str
    settings: tuple[tuple[str, float], ...] = ()
    """Numbers within the offer's ranges; those not named take the default."""
    because: str = ""
    reasons: Named = ()
    """Why a number was settled otherwise than its default, by its name."""


class Proposal(Value):
    made_by: str
    """`rule`, or the model's name."""
    picks: tuple[Pick, ...]
