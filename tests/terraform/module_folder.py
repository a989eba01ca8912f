"""Terraform in a folder of its own, with a module of ours."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Folder:
    """A run folder, with nothing in Terraform's environment but what the product sets."""

    path: Path
    environment: dict[str, str]

    def give(self, *machines: dict[str, Any], **more: Any) -> None:
        (self.path / "terraform.tfvars.json").write_text(json.dumps({"machines": machines, **more}))

    def terraform(self, *arguments: str, expect: int = 0) -> str:
        """What it printed, in one line: Terraform breaks its sentences to the width of a screen."""
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == expect, done.stdout
        return " ".join(done.stdout.replace("│", " ").split())

    def planned(self) -> dict[str, Any]:
        """The planned machines by name."""
        self.terraform("plan", "-out=tfplan")
        resources = json.loads(self.shown())["planned_values"]["root_module"]["resources"]
        return {resource["values"]["name"]: resource["values"] for resource in resources}

    def shown(self) -> str:
        """The plan made last, as JSON."""
        done = subprocess.run(
            ["terraform", "show", "-json", "tfplan"],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
        return done.stdout
