"""Looks at everything a run needs before anybody asks for one: programs, settings, worlds. It changes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.clients import shipped
from tools.clients.references import Secret
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.pipeline import registering
from tools.pipeline.context import Examined
from tools.pipeline.platforms import connected, hands
from tools.pipeline.world import read_roles, read_site, the_policy, the_prices, utc_now
from tools.platforms import PLATFORMS
from tools.rules.plans.changes import serves
from tools.values.site import Site
from tools.values.snapshot import PlatformName
from tools.values.trouble import Trouble

VERSION = re.compile(r"\d+\.\d+\.\d+")
MODULES: dict[PlatformName, str] = {"proxmox": "machines", "azure": "storage_account"}
"""A module of each, from which its provider can be fetched."""


def examine(settings: Settings) -> Iterator[Examined]:
    yield _terraform(settings)
    yield _program("ssh", "guests are reached by it", "Install an OpenSSH client.")
    yield from _providers(settings)
    yield _keys(settings)
    yield from _references(settings.secrets())
    yield from _files(settings)
    with suppress(Trouble):  # which is told among the files
        site = read_site(settings)
        yield from _references({f"{name} of the site file": Secret(text) for name, text in site.secrets().items()})
        yield from registering.examine(site)
        yield from _worlds(settings, site)


def _terraform(settings: Settings) -> Examined:
    try:
        program = Terraform(settings, Path.cwd()).program()
    except Trouble as trouble:
        return Examined("terraform", False, trouble.detail, trouble.remedy)
    return Examined("terraform", True, " ".join(program))


def _program(name: str, why: str, remedy: str) -> Examined:
    found = shutil.which(name)
    return Examined(name, found is not None, found or f"It is not on PATH; {why}.", "" if found else remedy)


def _providers(settings: Settings) -> Iterator[Examined]:
    """Whether the mirror has what the modules ask for."""
    if not settings.provider_mirror:
        yield from (_registry(settings, platform) for platform in connected(settings))
        return
    for platform in connected(settings):
        provider = PLATFORMS[platform].PROVIDER
        low, below = provider.versions
        folders = (one for one in settings.provider_mirror.glob("*/*/*") if provider.source == "/".join(one.parts[-2:]).lower())
        found = sorted({version[0] for one in folders for each in one.iterdir() if (version := VERSION.search(each.name))})
        good = any(serves(provider, version) for version in found)
        there = f"{provider.source} {', '.join(found) or 'is not there'}"
        wanted = f"{there}; the modules ask for {low} or later, below {below}"
        remedy = f"Fill it: in terraform/{MODULES[platform]}, type `terraform providers mirror {settings.provider_mirror}`."
        yield Examined(f"providers for {platform}", good, there if good else wanted, remedy)


def _registry(settings: Settings, platform: PlatformName) -> Examined:
    """Terraform fetches the provider, as for a first plan, which then finds it in Berth's own cache."""
    subject = f"providers for {platform}"
    with TemporaryDirectory(prefix="berth-doctor-") as folder:
        shutil.copy(shipped.MODULES / MODULES[platform] / "versions.tf", folder)
        terraform = Terraform(settings, Path(folder))
        terraform.write_configuration()
        try:
            terraform.init()
        except Trouble as trouble:
            return Examined(subject, False, trouble.detail, trouble.remedy)
        return Examined(subject, True, ", ".join(f"{source} {version}" for source, version in terraform.providers()))


def _keys(settings: Settings) -> Examined:
    count = len(settings.public_keys)
    if count:
        return Examined("public keys", True, f"{count} to install on new machines")
    return Examined("public keys", True, "none is set, so each conversation asks for one", "Set BERTH_PUBLIC_KEY_FILE.")


def _references(secrets: Mapping[str, Secret]) -> Iterator[Examined]:
    """Whether what stands in the place of a secret leads to one."""
    for name, secret in secrets.items():
        if secret.reference:
            try:
                secret.get_secret_value()
                yield Examined(name, True, f"can be read at {secret.reference}")
            except Trouble as trouble:
                yield Examined(name, False, trouble.detail, trouble.remedy)


def _files(settings: Settings) -> Iterator[Examined]:
    try:
        read_site(settings)
        roles = read_roles(settings.roles_file)
        policy = the_policy(settings)
        prices = the_prices(settings)
    except Trouble as trouble:
        yield Examined("files", False, f"{trouble.summary} {trouble.detail}", trouble.remedy)
        return
    yield Examined(
        "roles",
        True,
        f"{len(roles)} principals" if roles else "none: plans that ask for more than the operator cannot be approved",
    )
    yield Examined("policy", True, f"version {policy.version}, {len(policy.rules)} rules, {len(policy.examples)} examples")
    yield Examined(
        "prices",
        True,
        f"{len(prices)} rows, captured {min(p.captured_at for p in prices)} to {max(p.captured_at for p in prices)}",
    )


def _worlds(settings: Settings, site: Site) -> Iterator[Examined]:
    platforms = connected(settings)
    if not platforms:
        yield Examined("worlds", False, "Neither a cluster nor a subscription is set.", "Set PROXMOX_VE_ENDPOINT or ARM_SUBSCRIPTION_ID.")
    for platform in platforms:
        try:
            seen = hands(platform).scan(settings, utc_now(), site)
        except Trouble as trouble:
            yield Examined(platform, False, f"{trouble.summary} {trouble.detail}", trouble.remedy)
            continue
        faults = [problem for problem in seen.problems if not problem.ours]
        yield Examined(platform, not faults, f"{seen.endpoint} answers; {len(faults)} things could not be seen")
        for problem in seen.problems:
            yield Examined(f"{platform}, {problem.subject}", problem.ours, problem.detail, problem.remedy)
        yield from hands(platform).examine(settings, site, seen)
