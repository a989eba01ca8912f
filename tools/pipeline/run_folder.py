"""Lays out the folder of a run: complete, readable with `cat`, and plannable by hand. Terraform is not started here."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.clients.files import files_sha256, private_folder, write_once, write_private
from tools.pipeline.world import World
from tools.values.manifest import Manifest, Part, Secret
from tools.values.trouble import RequestProblem
from tools.values.value import Json, Value

HANDOVER = "backend.azurerm.json.example"
"""Terraform reads no file of that name: the state stays in the folder until the team takes it over."""
CHAIN_FILES = ("requirements", "offer", "proposal")
PASSWORD_BYTES = 24

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def lay_out(world: World, run_id: str, manifest: Manifest, review: Value, chain: dict[str, Json]) -> Path:
    folder = private_folder(world.run_folder(run_id))
    for name in CHAIN_FILES:
        if name in chain:
            write_json(folder / f"{name}.json", chain[name])
    write_value(folder / "manifest.json", manifest)
    write_value(folder / "review.json", review)
    private_folder(folder / "secrets")
    for part in manifest.parts:
        for secret in part.secrets:
            make_secret(folder / "secrets", secret)
        lay_out_part(world, folder, part)
    return folder


def part_folder(folder: Path, part: Part) -> Path:
    return folder / _plain_name(part.name, "part")


def lay_out_part(world: World, folder: Path, part: Part) -> Path:
    """The static module's files and the part's variables."""
    target = private_folder(part_folder(folder, part))
    assert_ours(world, folder, part)
    for name, content in _module(world, part).items():
        write_private(target / name, content)
    write_json(target / "terraform.tfvars.json", with_run_key(part, folder))
    if backend := state_backend(world, folder.name, part):
        write_json(target / HANDOVER, backend)
    return target


def assert_ours(world: World, folder: Path, part: Part) -> None:
    """Another Terraform file in the folder would change the plan, or where the state is, so it is refused."""
    for strange in _strange_files(part_folder(folder, part), set(_module(world, part))):
        raise RequestProblem(
            "The run folder was changed.",
            f"{strange} is not Berth's, and Terraform would read it.",
            "Move it away, then ask again.",
        )


def _module(world: World, part: Part) -> dict[str, bytes]:
    source = world.modules / _plain_name(part.module, "module")
    found = {path.name: path.read_bytes() for path in sorted(source.glob("*.tf"))}
    if not found:
        raise AssertionError(f"there is no Terraform module {source}")
    return found


def state_backend(world: World, run_id: str, part: Part) -> Json:
    """Terraform's configuration of the backend that the part's environment names; nothing for a local one. Data of the site file alone."""
    environment = world.environment(part.needs.field("environment"))
    storage = environment.state_storage
    if environment.state_backend != "azurerm" or storage is None:
        return None
    settings = {
        "storage_account_name": storage.storage_account,
        "container_name": storage.container,
        "key": f"{run_id}/{part.name}.tfstate",
        "use_azuread_auth": True,
        "resource_group_name": storage.resource_group,
        "subscription_id": storage.subscription_id,
        "tenant_id": world.settings.arm_tenant_id,
    }
    return {"terraform": {"backend": {"azurerm": {name: value for name, value in settings.items() if value}}}}


def with_run_key(part: Part, folder: Path) -> Json:
    """The part's variables, with the run's own public key beside the operator's."""
    public = folder / "secrets" / "ssh_key.pub"
    variables = json.loads(json.dumps(part.variables))
    if not public.exists() or not isinstance(variables, dict):
        return variables
    key = public.read_text().strip()
    for machine in variables.get("machines", []):
        if "public_keys" in machine:
            machine["public_keys"] = [*(one for one in machine["public_keys"] if one != key), key]
    return variables


def inputs_sha256(folder: Path) -> str:
    """Of the module, the variables and the lock file: what a plan is made from besides the state."""
    lock = folder / ".terraform.lock.hcl"
    return files_sha256([*folder.glob("*.tf"), folder / "terraform.tfvars.json", *([lock] if lock.exists() else [])])


def make_secret(folder: Path, secret: Secret) -> None:
    """Made once in the life of a run, and never shown."""
    path = folder / _plain_name(secret.name, "secret")
    if secret.kind == "password":
        write_once(path, f"{secrets.token_urlsafe(PASSWORD_BYTES)}\n".encode())
        return
    fresh = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    kept = serialization.load_ssh_private_key(write_once(path, fresh), password=None)
    public = kept.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    write_private(path.with_suffix(".pub"), public + b" berth\n")


def secret_texts(folder: Path, part: Part) -> tuple[str, ...]:
    """What was made for the part and must not be shown."""
    paths = (folder / "secrets" / secret.name for secret in part.secrets if secret.kind == "password")
    return tuple(path.read_text().strip() for path in paths if path.exists())


def write_value(path: Path, value: Value) -> Path:
    return write_json(path, value.model_dump(mode="json"))


def write_json(path: Path, content: Json) -> Path:
    return write_private(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _strange_files(folder: Path, known: set[str]) -> Iterator[Path]:
    for pattern in ("*.tf", "*.tf.json", "*.tofu", "*.tofu.json", "*.tfvars", "*.auto.tfvars.json"):
        for path in folder.glob(pattern):
            if path.name not in known:
                yield path
    if (folder / "terraform.tfvars").exists():
        yield folder / "terraform.tfvars"


def _plain_name(name: str, what: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        raise AssertionError(f"{name!r} is no name for a {what}")
    return name
