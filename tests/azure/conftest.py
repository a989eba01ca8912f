"""One simulated subscription for all tests of the Azure half, and Terraform in a folder with a module and its variables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world
from cluster_sim.world import read_world
from tools.capabilities import catalogue, chain
from tools.clients.process import run
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.pipeline.scan import scan
from tools.rules.hearing import hear as hearing
from tools.values.heard import Heard
from tools.values.manifest import Manifest
from tools.values.offer import Offer
from tools.values.requirements import Requirements
from tools.values.site import Reserved, Site
from tools.values.snapshot import SubscriptionSnapshot

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS_MAX = 300.0


@pytest.fixture(scope="session")
def azure_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """As an operator's environment would have them."""
    folder = tmp_path_factory.mktemp("subscription")
    with ExitStack() as stack:
        world = read_world(ROOT / "cluster_sim" / "worlds" / "azure_subscription.yaml")
        ready = open_world(world, ServeSettings(guests="none", folder=folder), stack)
        azure = ready["azure"]
        named = {f"ARM_{name.upper()}": azure[name] for name in ("tenant_id", "subscription_id", "client_id", "client_secret")}
        places = ("ARM_RESOURCE_MANAGER_ENDPOINT", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "ARM_RESOURCE_MANAGER_AUDIENCE")
        yield Settings.from_environment(
            {
                **named,
                **dict.fromkeys(places, azure["url"]),
                "BERTH_CA_FILE": str(ready["ca_file"]),
                "BERTH_PROVIDER_MIRROR": str(ready["mirror"]),
                "BERTH_HOME": str(folder / "home"),
                "HOME": str(folder),
            }
        )


Look = Callable[..., SubscriptionSnapshot]


@pytest.fixture(scope="session")
def look(azure_settings: Settings) -> Look:
    def looked(regions: tuple[str, ...] = ("eastus", "westus2"), names: tuple[str, ...] = ()) -> SubscriptionSnapshot:
        snapshot = scan(azure_settings, "azure", NOW, regions=regions, names=names)
        assert isinstance(snapshot, SubscriptionSnapshot)
        return snapshot

    return looked


@pytest.fixture(scope="session")
def seen(look: Look) -> SubscriptionSnapshot:
    """The subscription before anything is made in it."""
    return look()


def required(words: str, site: Site | None = None) -> Requirements:
    return chain.understand(hearing.hear(words, catalogue(), Heard()), site or Site(), "tester")


def offered(words: str, snapshot: SubscriptionSnapshot, site: Site | None = None) -> Offer:
    return chain.offer(required(words, site), {"azure": snapshot}, site or Site(), Reserved())


def composed(words: str, snapshot: SubscriptionSnapshot, pick: str = "", site: Site | None = None) -> Manifest:
    site = site or Site()
    requirements = required(words, site)
    offer = chain.offer(requirements, {"azure": snapshot}, site, Reserved())
    proposal = chain.settle(offer)
    if pick:
        proposal = proposal.model_copy(update={"picks": (proposal.picks[0].model_copy(update={"candidate": pick}),)})
    return chain.compose(requirements, offer, proposal, {"azure": snapshot}, site, Reserved())


class Folder:
    """A module in a folder of its own, as a run has it."""

    def __init__(self, settings: Settings, path: Path, module: str) -> None:
        self.path = path
        self.terraform = Terraform(settings, path)
        for file in (ROOT / "terraform" / module).glob("*.tf"):
            shutil.copy(file, path)
        self.terraform.write_configuration()

    def vary(self, variables: Any) -> None:
        (self.path / "terraform.tfvars.json").write_text(json.dumps(variables))

    def plan(self, *, destroy: bool = False) -> Any:
        self.terraform.init()
        return self.terraform.plan(destroy=destroy).json

    def apply(self) -> None:
        done = run(
            self.terraform.apply_command(self.path / "tfplan"),
            folder=self.path,
            environment=self.terraform.environment(),
            seconds_max=SECONDS_MAX,
        )
        assert done.code == 0, done.out[-3000:] + done.err[-3000:]


@pytest.fixture
def folder(azure_settings: Settings, tmp_path: Path) -> Callable[[str], Folder]:
    if not shutil.which("terraform"):
        pytest.skip("terraform is not on PATH, and these tests drive it.")
    return lambda module: Folder(azure_settings, tmp_path, module)


def wanted_changes(plan: Any) -> list[str]:
    return [one["address"] for one in plan["resource_changes"] if one["change"]["actions"] not in (["no-op"], ["read"])]
