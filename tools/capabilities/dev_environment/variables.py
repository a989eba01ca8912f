"""Manifest → variables of the playbook: the base, and the packages that people build software with."""

from __future__ import annotations

from tools.rules.machines import choices as machine_choices
from tools.rules.machines import machines
from tools.values.manifest import Configure
from tools.values.requirements import Needs

PACKAGES = ("build-essential", "curl", "git", "python3-venv", "tmux")


def configure(needs: Needs) -> Configure:
    return Configure(
        kind="ansible",
        playbook="dev_environment.yml",
        variables={
            **machine_choices.base_variables(),
            "base_packages": sorted({*PACKAGES, *machines.strings(needs, "packages")}),
        },
    )
