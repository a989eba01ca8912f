"""Part → variables of the playbook: the base, and the packages that people build software with."""

from __future__ import annotations

from tools.values.manifest import Part
from tools.values.value import Json

PACKAGES = ("build-essential", "curl", "git", "python3-venv", "tmux")


def variables(part: Part) -> dict[str, Json]:
    return {"base_packages": sorted({*PACKAGES, *part.needs.strings("packages")})}
