"""Where the folders lie that Berth is made of beside its Python packages: Terraform's modules, Ansible's playbooks, ADK's agents.

In a checkout they are the folders at its top; in a wheel setup.py has put copies of them beside the packages.
"""

from __future__ import annotations

from pathlib import Path

_TOOLS = Path(__file__).resolve().parents[1]
_SHIPPED = _TOOLS / "shipped"
FOLDER = _SHIPPED if _SHIPPED.is_dir() else _TOOLS.parent
AGENTS = FOLDER / "agents"
MODULES = FOLDER / "terraform"
PLAYBOOKS = FOLDER / "ansible"
