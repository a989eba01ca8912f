"""What a platform can do, one protocol. All of it is pure; what touches a platform is in tools.pipeline.platforms.

Nothing else asks which platform it is on: who has a part looks its platform up in `tools.platforms.PLATFORMS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tools.rules.plans.changes import Provider
from tools.values.certificate import Certificate
from tools.values.manifest import Manifest, Part
from tools.values.plan import Estimate
from tools.values.site import Reserved
from tools.values.situation import Situation
from tools.values.value import Json


class Platform(Protocol):
    """A module of this package: these are its module-level names."""

    TITLE: str
    """`Proxmox VE`, as a person is told of it."""

    PROVIDER: Provider
    """What its Terraform provider does, as far as a plan has to know it."""
    UNREACHED: str
    """Where to look when a machine never answers over SSH, a whole sentence."""

    RECORD_IN: tuple[str, ...]
    """Terraform's backends that the record of a part may be kept in, where the site file says so; none: it stays in the part's folder."""

    @staticmethod
    def reserves(part: Part) -> Reserved:
        """What a part will take until a snapshot shows it."""
        ...

    @staticmethod
    def joined(part: Part, used: Sequence[Part]) -> Part:
        """The part with a way to those that its machines use, where the platform gives none by itself."""
        ...

    @staticmethod
    def ids_in(state: Json) -> tuple[str, ...]:
        """Ids of what a Terraform state records as existing, spelt as `Part.owned` wants them."""
        ...

    @staticmethod
    def variables(part: Part) -> dict[str, Json]:
        """What the part's Terraform module is handed: the content of terraform.tfvars.json."""
        ...

    @staticmethod
    def estimate(parts: Sequence[Part], situation: Situation) -> Estimate:
        """What the parts cost a month; on a platform that is not paid in money, what share of it they take."""
        ...

    @staticmethod
    def certify(parts: Sequence[Part], situation: Situation) -> Certificate | None:
        """What the placement of the parts claims; None on a platform that places things itself."""
        ...

    @staticmethod
    def pictures(manifest: Manifest, situation: Situation) -> dict[str, str]:
        """The platform with what the manifest adds, as SVG by file name; none where there is nothing to draw."""
        ...
