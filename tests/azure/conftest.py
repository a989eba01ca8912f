"""One simulated subscription for all tests of the Azure half, and Terraform in a folder with a module and its variables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world
from cluster_sim.world import read_world
from tests.hearing.facts import said
from tools.capabilities import chain
from tools.clients.process import run
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.pipeline.platforms.azure.scan import scan
from tools.platforms import azure as platform
from tools.rules.azure.checks import cloud_of
from tools.rules.plans import pricing
from tools.rules.plans.picking import pick_by_rule
from tools.rules.plans.policy import read_policy
from tools.rules.words.findings import remedy
from tools.values.manifest import Manifest, Part
from tools.values.offer import Offer
from tools.values.requirements import Requirements
from tools.values.review import Severity
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot

ROOT = Path(__file__).parents[2]
POLICY = read_policy((ROOT / "tools" / "data" / "policy.yaml").read_text())
PRICES = pricing.read_prices((ROOT / "tools" / "data" / "prices.csv").read_text())
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS_MAX = 300.0


WORLD = ROOT / "cluster_sim" / "worlds" / "azure_subscription.yaml"


@pytest.fixture(scope="session")
def azure_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with served(WORLD, tmp_path_factory.mktemp("subscription")) as settings:
        yield settings


@contextmanager
def served(world: Path, folder: Path) -> Iterator[Settings]:
    """As an operator's environment would have them."""
    with ExitStack() as stack:
        ready = open_world(read_world(world), ServeSettings(guests="none", folder=folder), stack)
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
        return scan(azure_settings, NOW, regions=regions, names=names)

    return looked


@pytest.fixture(scope="session")
def seen(look: Look) -> SubscriptionSnapshot:
    """The subscription before anything is made in it."""
    return look()


def required(words: str, site: Site | None = None) -> Requirements:
    return chain.understand(said(words), site or Site(), "tester")


def situation(snapshot: SubscriptionSnapshot, site: Site | None = None) -> Situation:
    return Situation({"azure": snapshot}, site or Site(), prices=PRICES)


def offered(words: str, snapshot: SubscriptionSnapshot, site: Site | None = None) -> Offer:
    return chain.offer(required(words, site), situation(snapshot, site))


def composed(words: str, snapshot: SubscriptionSnapshot, pick: str = "", site: Site | None = None) -> Manifest:
    requirements, at = required(words, site), situation(snapshot, site)
    offer = chain.offer(requirements, at)
    proposal = pick_by_rule(offer)
    if pick:
        proposal = proposal.model_copy(update={"picks": (proposal.picks[0].model_copy(update={"candidate": pick}),)})
    return chain.compose(requirements, offer, proposal, at)


def errors(part: Part, snapshot: SubscriptionSnapshot) -> set[str]:
    """Checks that do not hold."""
    found, _ = chain.footing(part).review(part, situation(snapshot))
    assert all(remedy(f) for f in found)
    return {f.check for f in found if f.severity is Severity.ERROR}


def name_of(part: Part, kind: str) -> str:
    return dict(cloud_of(part).names)[kind]


def owning(part: Part, place: Folder) -> Part:
    """As a run that is taken up again knows it."""
    return part.model_copy(update={"owned": platform.ids_in(place.terraform.state())})


class Folder:
    """A module in a folder of its own, as a run has it."""

    def __init__(self, settings: Settings, path: Path, module: str) -> None:
        self.path = path
        self.terraform = Terraform(settings, path)
        for file in (ROOT / "terraform" / module).glob("*.tf"):
            shutil.copy(file, path)
        self.terraform.write_configuration()

    def vary(self, part: Part, **changed: Any) -> None:
        variables = {**platform.variables(part), **changed}
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
    return lambda module: Folder(azure_settings, tmp_path, module)


def wanted_changes(plan: Any) -> list[str]:
    return [one["address"] for one in plan["resource_changes"] if one["change"]["actions"] not in (["no-op"], ["read"])]
