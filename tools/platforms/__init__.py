"""The platforms that things can stand on, each by one protocol (platform.py), and what all of them together cost and show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tools.platforms import azure, proxmox
from tools.platforms.platform import Platform
from tools.values.certificate import Certificate
from tools.values.manifest import Manifest, Part
from tools.values.plan import Estimate
from tools.values.situation import Situation
from tools.values.snapshot import PlatformName

PLATFORMS: dict[PlatformName, Platform] = {"azure": cast(Platform, azure), "proxmox": cast(Platform, proxmox)}


def estimate(parts: Sequence[Part], situation: Situation) -> Estimate:
    """Of all parts together: what is paid in money adds up; beside it the shares of what is not are told without a sum."""
    each = [
        PLATFORMS[name].estimate([part for part in parts if part.platform == name], situation)
        for name in PLATFORMS
        if any(part.platform == name for part in parts)
    ]
    paid = [one for one in each if one.currency]
    return Estimate(
        currency=paid[0].currency if paid else "",
        total=sum(one.total or 0.0 for one in paid) if paid else None,
        lines=tuple(line for one in each for line in one.lines),
        assumptions=tuple(dict.fromkeys(text for one in each for text in one.assumptions)),
        savings=tuple(text for part in parts for text in part.savings),
        captured_at=paid[0].captured_at if paid else "",
    )


def certify(parts: Sequence[Part], situation: Situation) -> Certificate | None:
    """Of the parts that stand on a cluster."""
    for name in PLATFORMS:
        there = [part for part in parts if part.platform == name]
        if there and (certificate := PLATFORMS[name].certify(there, situation)) is not None:
            return certificate
    return None


def pictures(manifest: Manifest, situation: Situation) -> dict[str, str]:
    """SVG by file name, of every platform that the request was decided on."""
    drawn = (PLATFORMS[name].pictures(manifest, situation) for name in sorted(situation.snapshots))
    return {name: svg for one in drawn for name, svg in one.items()}
