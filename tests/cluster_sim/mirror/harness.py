"""Real Terraform in a run folder of its own, and the small worlds it is pointed at."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster_sim.mirror import workspaces
from tests.cluster_sim.mirror.small_cluster import Cluster
from tests.cluster_sim.mirror.small_subscription import SUBSCRIPTION, TENANT, Subscription

TOKEN = "ops@pve!berth=11111111-2222-3333-4444-555555555555"


def recorded(name: str) -> Any:
    """What was recorded from the released providers on 2026-11-21."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())


def in_one_line(text: str) -> str:
    """Terraform breaks its sentences to the width of a screen, behind a frame."""
    return " ".join(text.replace("│", " ").split())


@dataclass
class Folder:
    """A run folder, and Terraform in it with nothing in its environment but what the product would set."""

    path: Path
    settings: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"]} | self.settings

    def write(self, main: str) -> None:
        (self.path / "main.tf").write_text(main)

    def use_mirror(self, mirror: Path) -> None:
        (self.path / "cli.tfrc").write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')

    def terraform(self, *arguments: str, expect: int = 0) -> str:
        """Runs a command and returns what it printed, joined to lines as long as its sentences."""
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
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["terraform", *arguments, "-no-color"],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def json(self, *arguments: str) -> Any:
        done = subprocess.run(["terraform", *arguments], cwd=self.path, env=self.environment, capture_output=True, check=True, timeout=60)
        return json.loads(done.stdout)

    def planned(self) -> dict[str, Any]:
        """The planned changes by address."""
        self.terraform("plan", "-out=plan")
        return {change["address"]: change["change"] for change in self.json("show", "-json", "plan")["resource_changes"]}

    def state(self) -> dict[str, dict[str, Any]]:
        """The resources of the state by address, with `tainted` beside their values."""
        resources = self.json("show", "-json").get("values", {}).get("root_module", {}).get("resources", [])
        return {each["address"]: each["values"] | {"tainted": each.get("tainted", False)} for each in resources}


@dataclass
class ServedCluster:
    """A small cluster at its address."""

    cluster: Cluster
    url: str

    @property
    def settings(self) -> dict[str, str]:
        return {"PROXMOX_VE_ENDPOINT": self.url, "PROXMOX_VE_API_TOKEN": TOKEN}


@dataclass
class ServedSubscription:
    """A small subscription at its address."""

    subscription: Subscription
    url: str

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ARM_TENANT_ID": TENANT,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_CLIENT_ID": "00000000-0000-0000-0000-00000000000c",
            "ARM_CLIENT_SECRET": "secret",
        }

    @property
    def configuration(self) -> dict[str, Any]:
        """The provider block that says the same as the settings."""
        names = {f"ARM_{name.upper()}": name for name in ("tenant_id", "subscription_id", "client_id", "client_secret")}
        endpoint = {"resource_manager_endpoint": self.url, "active_directory_authority_host": self.url}
        return {names[variable]: value for variable, value in self.settings.items()} | {
            "endpoint": [endpoint | {"resource_manager_audience": self.url}]
        }

    def provider(self, more: str) -> str:
        return (workspaces.REQUIRED + more).replace("URL", self.url)
