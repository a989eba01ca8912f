"""What the file of `berth serve` says. docs/serving.md explains it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, Field, ValidationError

from tools.clients.settings import Settings
from tools.values.trouble import RequestProblem
from tools.values.value import Value


def _web(address: str) -> str:
    split = urlsplit(address)
    if (
        split.scheme not in ("http", "https")
        or not split.hostname
        or split.username
        or split.query
        or split.fragment
        or split.path not in ("", "/")
    ):
        raise ValueError("it must be https://name, without a path")
    return f"{split.scheme}://{split.netloc}"


def _issuer(address: str) -> str:
    split = urlsplit(address)
    is_here = split.hostname in ("127.0.0.1", "localhost", "::1")
    if split.scheme != "https" and not (split.scheme == "http" and is_here):
        raise ValueError("it must begin with https://")
    return address


class Proxy(Value):
    """A reverse proxy that has authenticated people, and says who it is by a secret."""

    name_header: str = "x-remote-user"
    groups_header: str = ""
    address_header: str = ""
    """In which it says whom it has this from; the last one of several. Strangers are counted by it."""
    secret_header: str = "x-berth-secret"  # noqa: S105 - its name
    secret_file: Path


class Oidc(Value):
    issuer: Annotated[str, AfterValidator(_issuer)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret_file: Path | None = None
    """None: a public client, which PKCE protects."""
    audience: str = ""
    """Of bearer tokens; empty: `client_id`."""
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    ca_file: Path | None = None


class Config(Value):
    address: Annotated[str, AfterValidator(_web)]
    """How people reach it."""
    listen: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    certificate_file: Path | None = None
    key_file: Path | None = None
    tokens_file: Path | None = None
    proxy: Proxy | None = None
    oidc: Oidc | None = None
    messages_a_minute: Annotated[int, Field(ge=1)] = 30
    requests_a_minute: Annotated[int, Field(ge=1)] = 600
    log: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes behind the one address: one of them uses one processor. More than one share a PostgreSQL ledger."""
    session_hours: Annotated[float, Field(gt=0, le=24)] = 8

    @property
    def is_secure(self) -> bool:
        return self.address.startswith("https://")

    def cookie(self, name: str) -> str:
        """What it is called: so that a browser takes it from this very host alone, and not from one beside it in the same domain."""
        return f"__Host-{name}" if self.is_secure else name


def is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def read_config(path: Path, settings: Settings) -> Config:
    """Raises RequestProblem, which names every wrong line."""
    try:
        config = Config.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors()[:5])
        raise RequestProblem("The file cannot be taken.", f"{path}: {faults}.", "docs/serving.md says what it may hold.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or "it is not YAML"
        raise RequestProblem("The file cannot be read.", f"{path}: {reason}.", "Correct it and start again.") from None
    if config.tokens_file is None and config.proxy is None and config.oidc is None:
        raise RequestProblem("Nobody could come in.", f"{path} names no tokens_file, no proxy and no oidc.", "Name at least one of them.")
    if (config.certificate_file is None) != (config.key_file is None):
        raise RequestProblem("The file cannot be taken.", f"{path}: certificate_file and key_file belong together.", "Name both, or none.")
    if not is_loopback(config.listen) and config.certificate_file is None:
        raise RequestProblem(
            "What people send would be read by others.",
            f"{path} listens on {config.listen} without a certificate.",
            "Name certificate_file and key_file, or listen on 127.0.0.1 behind a proxy that has them.",
        )
    if settings.roles_file is None:
        raise RequestProblem("Nobody would hold a role.", "BERTH_ROLES_FILE names no file.", "docs/roles.example.yaml is one.")
    if config.workers > 1 and not settings.is_on_postgresql:
        raise RequestProblem(
            "Several workers need a PostgreSQL database.",
            f"{path} asks for {config.workers} workers, and the ledger is a file of SQLite.",
            "Name a database in BERTH_DATABASE_URL, or leave `workers` out.",
        )
    for named in (config.tokens_file, config.certificate_file, config.key_file, config.proxy and config.proxy.secret_file):
        if named and not named.is_file():
            raise RequestProblem("A file is not there.", f"{path} names {named}.", "Make it, or correct its name.")
    return config
