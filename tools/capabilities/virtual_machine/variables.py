"""Manifest → variables of the playbook, which gives the machine the base and nothing else."""

from __future__ import annotations

from tools.rules.machines import choices as machine_choices
from tools.values.manifest import Configure
from tools.values.requirements import Needs


def configure(needs: Needs) -> Configure:
    return Configure(kind="ansible", playbook="virtual_machine.yml", variables=machine_choices.base_variables())
