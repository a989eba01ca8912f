"""What the shell is handed: settings, the site, a clock, ids, and the ledger. It does nothing by itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import ValidationError

from tools.clients.files import in_words
from tools.clients.references import is_reference
from tools.clients.rego import read_rego
from tools.clients.settings import Settings
from tools.clients.shipped import MODULES
from tools.ledger.leases import Lease
from tools.ledger.ledger import Ledger
from tools.rules.names.hiding import has_login, opens
from tools.rules.plans.approving import Roles
from tools.rules.plans.changes import Allowed
from tools.rules.plans.policy import Judgement, read_policy
from tools.rules.plans.pricing import currency, read_prices
from tools.values.manifest import Part
from tools.values.policy import Policy
from tools.values.price import Price
from tools.values.requirements import Field as Requirement
from tools.values.requirements import Requirements
from tools.values.site import Environment, Site, texts_of
from tools.values.tenant import Tenant, Tenants
from tools.values.trouble import RequestProblem
from tools.values.value import Json

PRICES_FILE = "prices.csv"
RUN_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
"""None that look alike: people type these."""
RUN_LETTERS_COUNT = 8


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_run_id() -> str:
    return "run-" + "".join(secrets.choice(RUN_LETTERS) for _ in range(RUN_LETTERS_COUNT))


@dataclass(frozen=True)
class World:
    settings: Settings
    site: Site
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    ledger: Ledger
    modules: Path = MODULES
    """The folder of the static Terraform modules."""
    policy: Policy = field(default_factory=lambda: Policy(version="none"))
    judges: tuple[Callable[[Json], Judgement], ...] = ()
    """Besides the policy: an organisation's own Rego."""
    prices: tuple[Price, ...] = ()
    """List prices of clouds: the shipped snapshot, or the one that `berth prices refresh` wrote."""
    allowed: Allowed = field(default_factory=Allowed)
    """What a plan may hold."""

    tenant: Tenant | None = None
    """Whose it is: what it sees and may use is narrowed to that. None: everybody's."""
    whole: World | None = field(default=None, repr=False)
    """Everybody's, where this is a tenant's."""
    made_from: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """By a manifest's digest: what it was composed from, until it is planned (tools.pipeline.replaying)."""

    def under(self, lease: Lease | None) -> World:
        """For what is done by whoever holds this lease; None where there is nobody else who could."""
        return replace(self, ledger=self.ledger.view(lease, self.tenant.name if self.tenant else None))

    def of(self, tenant: Tenant | None) -> World:
        """As whoever belongs to this tenant has it; None: as it is."""
        if tenant is None:
            return self
        settings, site = self.settings, self.site
        if tenant.name:
            site = site.model_copy(update={"pool": tenant.pool, "tenant": tenant.name})
            if tenant.subscriptions and settings.arm_subscription_id not in tenant.subscriptions:
                settings = settings.in_subscription(tenant.subscriptions[0])
        if not tenant.sees_pool(site.pool) or (tenant.name and not tenant.pool):
            settings = settings.only("azure")
        if not tenant.may_use(settings.arm_subscription_id):
            settings = settings.only("proxmox")
        ledger = self.ledger.view(tenant=tenant.name)
        return replace(self, settings=settings, site=site, ledger=ledger, tenant=tenant, whole=self.whole or self)

    def carrying(self, lease: Lease, tenant: str) -> World:
        """For carrying out a run of this tenant: it acts for nobody but the run, and tells of the world what the tenant sees."""
        try:
            seen_by = self.tenants().called(tenant)
        except RequestProblem:  # No fault in a file of ours stops a run that was approved.
            seen_by = Tenant(name=tenant) if tenant else None
        return replace(self, ledger=self.ledger.view(lease, says=tenant), tenant=seen_by)

    def run_folder(self, run_id: str) -> Path:
        return self.settings.shared / "runs" / run_id

    def settings_for(self, requirements: Requirements) -> Settings:
        """As connected, in the subscription of the environment that is asked for."""
        # Only what lies in a region of a cloud lies in a subscription.
        cloud = [needs for needs in requirements.parts if needs.field("region")]
        named = {self.environment(needs.field("environment")).subscription_id for needs in cloud}
        if len(named) > 1:
            raise RequestProblem(
                "Two subscriptions are asked for at once.",
                "The parts of this request are in environments with subscriptions of their own, and one plan stays in one.",
                "Ask for one environment at a time.",
            )
        settings = self.settings.in_subscription(next(iter(named), ""))
        if cloud and self.tenant and not self.tenant.may_use(settings.arm_subscription_id):
            raise RequestProblem(
                "That subscription is not yours.",
                f"What you ask for would lie in the subscription of the environment {cloud[0].text('environment')}, which your tenant does "
                "not have.",
                "Ask for another environment, or have the subscription entered for your tenant in the roles file.",
            )
        return settings

    def settings_of(self, part: Part) -> Settings:
        """As connected to its own platform, in the subscription that it was planned for, whatever the site file says by now."""
        return self.settings.only(part.platform).in_subscription(part.cloud.subscription_id if part.cloud else "")

    def environment(self, field: Requirement | None) -> Environment:
        """The site's, by the field of that name; one without anything settled where a request has none."""
        return self.site.environment(str(field.value)) if field else Environment(name="")

    def roles(self) -> Roles:
        """Principal → roles, from the roles file; read each time, so that a change counts at once."""
        return read_roles(self.settings.roles_file)

    def tenants(self) -> Tenants:
        """As the roles file has them, read each time."""
        return read_tenants(self.settings.roles_file)


def open_world(settings: Settings | None = None) -> World:
    settings = settings or Settings.from_environment()
    try:
        ledger = Ledger(settings.ledger_url, settings.home, utc_now, checkpoints=settings.checkpoints, shared=settings.shared)
    except OSError as error:
        raise in_words(error) from error
    return World(
        settings=settings,
        site=read_site(settings),
        now=utc_now,
        new_id=new_run_id,
        ledger=ledger,
        policy=the_policy(settings),
        judges=(read_rego(settings.rego_folder),) if settings.rego_folder else (),
        prices=the_prices(settings),
    )


def the_policy(settings: Settings) -> Policy:
    """The organisation's policy, or the shipped one."""
    if settings.policy_file is None:
        return read_policy(files("tools.data").joinpath("policy.yaml").read_text(encoding="utf-8"), "the shipped policy")
    try:
        return read_policy(settings.policy_file.read_text(encoding="utf-8"), str(settings.policy_file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise RequestProblem("A file cannot be read.", f"BERTH_POLICY_FILE: {reason}.", "Correct it and start again.") from None


def the_prices(settings: Settings) -> tuple[Price, ...]:
    """The refreshed snapshot where there is one, otherwise the shipped one."""
    refreshed = settings.shared / PRICES_FILE
    source = refreshed if refreshed.is_file() else files("tools.data").joinpath("prices.csv")
    return read_prices(source.read_text(encoding="utf-8"))


def read_site(settings: Settings) -> Site:
    """The site file's conventions, with the operator's public keys from the settings when it names none."""
    given = _yaml(settings.site_file, "BERTH_SITE_FILE") if settings.site_file else {}
    try:
        site = Site.model_validate(given or {})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors()[:5])
        raise RequestProblem("The site file cannot be taken.", f"{settings.site_file}: {faults}.", "Correct it and start again.") from None
    _assert_no_secret(site, str(settings.site_file))
    for environment in site.environments:
        _assert_sound(environment, str(settings.site_file))
    return site if site.public_keys else site.model_copy(update={"public_keys": settings.public_keys})


def _assert_no_secret(site: Site, path: str) -> None:
    """What stands in the site file may be told by a plan, its card, a guide and a log."""
    places = site.secrets()
    for name, text in texts_of(site):
        if name in places and not is_reference(text) and opens(text):
            field = name.rpartition(".")[2]
            raise RequestProblem(
                "A secret stands in the site file.",
                f"{path}: {name} is an address that looks as if it lets in whoever knows it. It would stand in plans and guides.",
                "Write that address into a file that only Berth's account can read, name the file in its place "
                f"(`{field}: file:/etc/berth/{field}`), and start again. docs/secrets.md has other places.",
            )
        if name not in places and has_login(text):
            raise RequestProblem(
                "A secret stands in the site file.",
                f"{path}: {name} has a name or a password before the host. It would stand in plans and guides.",
                "Name an address that asks for no login, such as a mirror of your own, and start again.",
            )


def _assert_sound(environment: Environment, path: str) -> None:
    where = f"{path}, environment {environment.name}"
    if environment.state_backend == "azurerm" and environment.state_storage is None:
        raise RequestProblem(
            "The site file cannot be taken.",
            f"{where}: the state backend azurerm needs a storage account and a container.",
            "Add state_storage with storage_account and container, or leave state_backend out.",
        )
    try:
        currency(environment.currency)
    except RequestProblem as problem:
        raise RequestProblem("The site file cannot be taken.", f"{where}: {problem.detail}", problem.remedy) from None


def read_roles(path: Path | None) -> Roles:
    if path is None:
        return {}
    found = _yaml(path, "BERTH_ROLES_FILE")
    named = found.get("principals", found) if isinstance(found, dict) else None
    if not isinstance(named, dict) or not all(isinstance(one, list) for one in named.values()):
        raise RequestProblem(
            "The roles file cannot be taken.",
            f"{path} must say `principals:` and under it a list of roles for each principal.",
            "For example:\n\nprincipals:\n  alice: [operator, manager]",
        )
    return {str(who): tuple(str(role).strip().lower() for role in roles) for who, roles in named.items()}


def read_tenants(path: Path | None) -> Tenants:
    found = _yaml(path, "BERTH_ROLES_FILE").get("tenants", {}) if path else {}
    try:
        return Tenants(named=tuple(Tenant.model_validate({"name": name, **(said or {})}) for name, said in found.items()))  # type: ignore[attr-defined]
    except (ValidationError, AttributeError, TypeError) as error:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}".strip(": ") for one in getattr(error, "errors", list)()[:5]]
        raise RequestProblem(
            "The roles file cannot be taken.",
            f"{path}: {'; '.join(faults) or 'what stands under `tenants` is no list of names'}.",
            "docs/roles.example.yaml shows tenants.",
        ) from None


def _yaml(path: Path, setting: str) -> dict[str, object]:
    try:
        found = _loaded(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or "it is not YAML"
        raise RequestProblem("A file cannot be read.", f"{setting} names {path} ({reason}).", "Correct it and start again.") from None
    if found is not None and not isinstance(found, dict):
        raise RequestProblem("A file cannot be read.", f"{setting} names {path}, which holds no names and values.", "Correct it.")
    return found or {}


@lru_cache(maxsize=8)
def _loaded(text: str) -> object:
    """A file is read each time, and the same text is gone through once: that takes longer than all else that is done with a request. Nobody
    changes what comes of it."""
    return yaml.safe_load(text)
