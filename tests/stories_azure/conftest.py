"""What the stories about Azure share: ADK's API server in front of a simulated subscription, with a roles file for the one operator."""

from __future__ import annotations

import csv
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, Chat, Reply, api_server
from tools.clients.azure import Azure
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform

ROOT = Path(__file__).parents[2]
ROLES = "principals:\n  operator: [operator, manager, vp, security]\n"
PLAN_SECONDS_MAX = 120


def with_roles(given: dict[str, str], folder: Path, **other: str) -> dict[str, str]:
    """The settings of a server whose one operator holds every role, with a home of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    roles = folder / "roles.yaml"
    roles.write_text(ROLES)
    return given | {"BERTH_ROLES_FILE": str(roles), "BERTH_HOME": str(folder / "home")} | other


@pytest.fixture(scope="session")
def azure(azure_world: tuple[dict[str, Any], Path]) -> Iterator[Berth]:
    ready, folder = azure_world
    own = folder / "stories"
    with api_server(with_roles(environment(ready, folder), own), own / "api_server.log") as server:
        yield server


@pytest.fixture(scope="module")
def bad_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Berth]:
    """A subscription where the first cluster and the first Databricks workspace are accepted, and then fail."""
    folder = tmp_path_factory.mktemp("azure_bad_day")
    with (
        world([str(WORLDS / "azure_bad_day.yaml")], folder / "world", guests="none") as ready,
        api_server(with_roles(environment(ready, folder), folder), folder / "api_server.log") as server,
    ):
        yield server


def second_plan(berth: Berth, part_folder: Path) -> tuple[int, str]:
    """(exit code, words) of another `terraform plan` there, as anybody may do: 0 means that Azure is what was planned."""
    terraform = Terraform(Settings.from_environment(berth.environment), part_folder)
    command = [*terraform.program(), "plan", "-input=false", "-no-color", "-detailed-exitcode"]
    ended = subprocess.run(command, cwd=part_folder, env=terraform.environment(), text=True, capture_output=True, timeout=PLAN_SECONDS_MAX)
    return ended.returncode, ended.stdout + ended.stderr


def groups(berth: Berth) -> set[str]:
    """The resource groups that Azure itself lists, and not only our state."""
    azure = Azure(Settings.from_environment(berth.environment))
    return {str(row["name"]) for row in azure.every("the resource groups", azure.resources.resource_groups.list)}


def approve(chat: Chat) -> Reply:
    """Says everything that the newest plan asks to be said, and gives the last answer."""
    digest, roles = chat.open_digest, sorted(chat.roles)
    for role in roles:
        words = f"confirm {digest} {role.removeprefix('confirm ')}" if role.startswith("confirm ") else f"approve {digest} as {role}"
        last = chat.say(words)
    return last


def price_tiers() -> dict[str, list[tuple[float, float]]]:
    """`key@region` → [(quantity above which it holds, price)], read from the snapshot without our own reader."""
    tiers = defaultdict(list)
    with (ROOT / "tools" / "data" / "prices.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            tiers[f"{row['key']}@{row['region']}"].append((float(row["tier_from"]), float(row["price"])))
    return {key: sorted(found) for key, found in tiers.items()}


def recomputed(quantity: float, tiers: list[tuple[float, float]]) -> float:
    ends = [begin for begin, _ in tiers[1:]] + [float("inf")]
    return sum(max(0.0, min(quantity, end) - begin) * price for (begin, price), end in zip(tiers, ends, strict=True))
