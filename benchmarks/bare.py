"""The floor: the same Terraform commands by hand, on a copy of the same run folder, with the same provider."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

PLANNING = (
    ("init", "-input=false"),
    ("validate",),
    ("plan", "-input=false", "-out=tfplan"),
    ("show", "-json", "tfplan"),
)
APPLYING = (("apply", "-input=false", "tfplan"),)
DESTROYING = (("destroy", "-input=false", "-auto-approve"),)
WRITTEN = ("*.tf", "terraform.tfvars.json", "terraform.rc")
"""What Berth writes into a part's folder before it starts Terraform."""


def copy_written(part: Path, to: Path) -> Path:
    """The folder as it was before Terraform first saw it."""
    to.mkdir(parents=True)
    for pattern in WRITTEN:
        for file in part.glob(pattern):
            shutil.copy2(file, to / file.name)
    return to


def copy_planned(part: Path, to: Path) -> Path:
    """The folder with its plan and providers."""
    return Path(shutil.copytree(part, to, symlinks=True))


def run(program: str, commands: tuple[tuple[str, ...], ...], part: Path, environment: Mapping[str, str]) -> float:
    """Seconds that the commands take one after another. `environment` is the clean one that Berth gives Terraform."""
    given = {**environment, "TF_CLI_CONFIG_FILE": str(part / "terraform.rc")}
    began = time.time()
    for command in commands:
        ended = subprocess.run([program, *command], cwd=part, env=given, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise SystemExit(f"The floor does not stand: terraform {command[0]} in {part} says\n{ended.stderr or ended.stdout}")
    return time.time() - began


def parts_of(run_folder: Path) -> list[Path]:
    return sorted(file.parent for file in run_folder.glob("*/terraform.tfvars.json"))
