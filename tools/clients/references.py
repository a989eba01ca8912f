"""Secrets by reference: what stands in the place of a secret, in a setting or in the site file, and how it is read when it is needed.

| reference | is read from |
|---|---|
| `env:NAME` | the environment |
| `file:/path` | a file |
| `vault:MOUNT/PATH#KEY` | HashiCorp Vault or OpenBao, secrets engine KV version 2; VAULT_ADDR, and VAULT_TOKEN or ~/.vault-token |
| `keyvault:VAULT/NAME` | an Azure Key Vault, as whoever DefaultAzureCredential finds |
| `age:/path` | a file encrypted by age to the identity in the file that BERTH_AGE_IDENTITY names |
| `pass:NAME` | the first line of an entry of the password store (PASSWORD_STORE_DIR or ~/.password-store), by gpg |

It is read in the process that needs it, kept there for a minute, and written nowhere.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from tools.rules.names.foreign import theirs
from tools.values.site import REFERENCE_SCHEMES
from tools.values.trouble import RequestProblem, Trouble, WorldProblem
from tools.values.value import same

KEPT_SECONDS = 60.0
ANSWER_SECONDS_MAX = 10.0
DECRYPT_SECONDS_MAX = 30.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
INSTALL = "Install it (pip install 'berth[secrets]') and start Berth again."
RESTART = "start Berth again and say retry"
"""After a change of an environment: a process that runs has the one that it began with."""


class Secret(SecretStr):
    """A secret, or a reference to one. Whoever asks for its value gets what stands there now; raises Trouble. It is false when it is not
    set; that asks nobody."""

    @property
    def reference(self) -> str:
        """Empty where it is the secret itself."""
        return self._secret_value if is_reference(self._secret_value) else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and same(self._secret_value, other._secret_value)

    def __hash__(self) -> int:
        return hash(self._secret_value)

    def get_secret_value(self) -> str:
        return referred(self._secret_value) if self.reference else self._secret_value


def is_reference(text: str) -> bool:
    scheme, colon, place = text.partition(":")
    return bool(colon and place) and scheme in SCHEMES


def referred(reference: str) -> str:
    """What stands there. Raises RequestProblem or WorldProblem, which name the place alone."""
    scheme, _, place = reference.partition(":")
    read = SCHEMES.get(scheme)
    if read is None:
        raise RequestProblem(
            "A secret is not there.",
            f"{reference} is no reference.",
            f"It begins with one of {', '.join(f'{name}:' for name in SCHEMES)}, as docs/secrets.md shows.",
        )
    with _guard:
        kept = _kept.get(reference)
    if kept is not None and time.monotonic() - kept[1] < KEPT_SECONDS:
        return kept[0]
    found = read(place).strip()
    if not found:
        raise _missing(reference)
    with _guard:
        _seen.add(found)
        if scheme not in ("env", "file"):
            _kept[reference] = (found, time.monotonic())
    return found


def forget() -> None:
    """What is kept is read anew."""
    with _guard:
        _kept.clear()


def seen() -> frozenset[str]:
    """Every secret that this process has read by a reference: none of them may be shown."""
    with _guard:
        return frozenset(_seen)


_kept: dict[str, tuple[str, float]] = {}
_seen: set[str] = set()
_guard = threading.Lock()


def _missing(reference: str) -> RequestProblem:
    return RequestProblem("A secret is not there.", f"Nothing can be read at {reference}.", f"Put it there, then {go_on(reference)}.")


def go_on(reference: str) -> str:
    """What to do once something else stands there."""
    return RESTART if reference.startswith("env:") else "say retry"


def _env(name: str) -> str:
    return os.environ.get(name, "")


def _file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError, RuntimeError):  # The last one: ~name of nobody.
        return ""


def _vault(place: str) -> str:
    path, _, key = place.partition("#")
    mount, _, name = path.partition("/")
    if not (mount and name and key):
        raise RequestProblem("A secret is not there.", f"vault:{place} names no key.", "Write it as vault:MOUNT/PATH#KEY.")
    address = os.environ.get("VAULT_ADDR", "")
    split = urlsplit(address)
    if not (split.scheme == "https" or (split.scheme == "http" and split.hostname in LOOPBACK)):
        raise RequestProblem(
            "Vault cannot be asked.",
            f"vault:{place} is there, and VAULT_ADDR is {'not set' if not address else 'no https:// address'}.",
            f"Set VAULT_ADDR to where Vault is, such as https://vault.example.org:8200, then {RESTART}.",
        )
    try:
        import hvac
        from hvac import exceptions
    except ImportError:
        raise RequestProblem("Vault cannot be asked.", "The package hvac is not installed.", INSTALL) from None
    import requests

    client = hvac.Client(url=address, timeout=ANSWER_SECONDS_MAX)  # Its token, namespace and CA are in VAULT_… or ~/.vault-token.
    log_in = f"Set another VAULT_TOKEN, then {RESTART}." if os.environ.get("VAULT_TOKEN") else "Log in with `vault login`, then say retry."
    try:
        with closing(client.adapter):
            if not client.token:
                raise RequestProblem(
                    "Vault cannot be asked.",
                    "VAULT_TOKEN is not set, and ~/.vault-token is not there.",
                    log_in,
                )
            answer = client.secrets.kv.v2.read_secret_version(path=name, mount_point=mount, raise_on_deleted_version=True)
        found = answer["data"]["data"].get(key)
    except exceptions.InvalidPath:
        raise RequestProblem(
            "A secret is not there.",
            f"{mount} of Vault has no secret {name}, or its latest version is deleted.",
            f"Put it there (`vault kv put {mount}/{name} {key}=…`), then say retry.",
        ) from None
    except (exceptions.Forbidden, exceptions.Unauthorized):
        raise WorldProblem(
            "Vault does not let us read a secret.",
            f"Its token may not read {mount}/{name}, or has expired.",
            f"Give it a policy with `read` on {mount}/data/{name}, then say retry. Or: {log_in}",
            retryable=True,
        ) from None
    except exceptions.VaultDown:
        raise WorldProblem(
            "Vault is sealed.", f"{address} answers that it gives no secrets now.", "Have it unsealed, then say retry.", retryable=True
        ) from None
    except (requests.RequestException, exceptions.VaultError) as error:
        raise _away("Vault", address, error, "Look at it with `vault status`, then say retry.") from None
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _strange("Vault", address) from None
    if not isinstance(found, str):
        raise RequestProblem(
            "A secret is not there.",
            f"{mount}/{name} of Vault has no text called {key}.",
            f"Add it (`vault kv patch {mount}/{name} {key}=…`), then say retry.",
        )
    return found


def _keyvault(place: str) -> str:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:  # pragma: no cover - it is one of our own packages
        raise RequestProblem("Key Vault cannot be asked.", "The package azure-identity is not installed.", INSTALL) from None
    return from_key_vault(place, DefaultAzureCredential)


def from_key_vault(place: str, credential: Callable[[], Any], **options: Any) -> str:
    """`place`: VAULT/NAME, where VAULT is a name of Azure's public cloud or a whole host; `options`: of the client. Raises Trouble."""
    vault, _, name = place.partition("/")
    if not (vault and name) or "/" in name:
        raise RequestProblem("A secret is not there.", f"keyvault:{place} names no secret.", "Write it as keyvault:VAULT/NAME.")
    try:
        from azure.core import exceptions
        from azure.keyvault.secrets import SecretClient
    except ImportError:
        raise RequestProblem("Key Vault cannot be asked.", "The package azure-keyvault-secrets is not installed.", INSTALL) from None
    address = f"https://{vault}" if "." in vault else f"https://{vault}.vault.azure.net"
    try:
        with (
            closing(credential()) as signed_in,
            SecretClient(address, signed_in, connection_timeout=ANSWER_SECONDS_MAX, retry_total=1, **options) as client,
        ):
            return client.get_secret(name).value or ""
    except exceptions.ResourceNotFoundError:
        raise RequestProblem(
            "A secret is not there.",
            f"The Key Vault {vault} has no secret {name}, or it is disabled.",
            f"Put it there (`az keyvault secret set --vault-name {vault} --name {name} --file …`), then say retry.",
        ) from None
    except exceptions.ClientAuthenticationError:
        raise WorldProblem(
            "Key Vault does not know us.",
            f"Nobody who may read {vault} is signed in here.",
            f"Sign in with `az login` and say retry; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, {RESTART}.",
            retryable=True,
        ) from None
    except exceptions.HttpResponseError as error:
        if error.status_code == 403:
            raise WorldProblem(
                "Key Vault does not let us read a secret.",
                f"Whoever is signed in here may not read {name} of {vault}, or its firewall keeps this machine out.",
                "Give it the role Key Vault Secrets User on the vault, then say retry.",
                retryable=True,
            ) from None
        raise _away("Key Vault", address, error, "Look at the vault in Azure's portal, then say retry.") from None
    except exceptions.AzureError as error:
        raise _away("Key Vault", address, error, "Look at the name of the vault and at the network, then say retry.") from None


def _age(path: str) -> str:
    identity = os.environ.get("BERTH_AGE_IDENTITY", "")
    if not identity:
        raise RequestProblem(
            "A secret cannot be decrypted.",
            f"age:{path} is there, and BERTH_AGE_IDENTITY names no file.",
            f"Set it to the file that `age-keygen` made, then {RESTART}.",
        )
    try:
        import pyrage
    except ImportError:
        raise RequestProblem("A secret cannot be decrypted.", "The package pyrage is not installed.", INSTALL) from None
    try:
        lines = [line.strip() for line in Path(identity).expanduser().read_text().splitlines()]
        identities = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
        return str(pyrage.decrypt(Path(path).expanduser().read_bytes(), identities).decode())
    except (OSError, RuntimeError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error).rstrip(".")
        raise RequestProblem("A secret cannot be decrypted.", f"{why}.", "Put the file there, then say retry.") from None
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError):
        raise RequestProblem(
            "A secret cannot be decrypted.",
            f"{path} is no text that was encrypted to the identity in {identity}.",
            "Encrypt it anew: `age -r RECIPIENT -o FILE`, with the recipient that `age-keygen -y` prints. Then say retry.",
        ) from None


def _pass(name: str) -> str:
    store = Path(os.environ.get("PASSWORD_STORE_DIR") or "~/.password-store").expanduser()
    file = (store / f"{name}.gpg").resolve()
    if not file.is_relative_to(store.resolve()) or not file.is_file():
        raise RequestProblem(
            "A secret is not there.", f"{store} has no entry {name}.", f"Put it there (`pass insert {name}`), then say retry."
        )
    try:
        command = ["gpg", "--quiet", "--batch", "--no-tty", "--decrypt", str(file)]
        ended = subprocess.run(command, capture_output=True, timeout=DECRYPT_SECONDS_MAX, stdin=subprocess.DEVNULL, check=False)
        text = ended.stdout.decode() if ended.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        text = ""
    if not text.strip():
        raise RequestProblem(
            "A secret cannot be decrypted.",
            f"gpg could not read {file}: its key is not here, or is locked.",
            f"Try `pass show {name}` as the account that Berth runs as, then say retry.",
        )
    return text.splitlines()[0]


def _away(what: str, address: str, error: BaseException, remedy: str) -> WorldProblem:
    kind = type(error).__name__
    return WorldProblem(f"{what} does not answer.", f"{address} could not be read ({theirs(kind)}).", remedy, retryable=True)


def _strange(what: str, address: str) -> WorldProblem:
    return WorldProblem(
        f"{what} answers something else.", f"What {address} sent is no secret of KV version 2.", "Look at the address and the mount."
    )


SCHEMES: dict[str, Callable[[str], str]] = dict(zip(REFERENCE_SCHEMES, (_env, _file, _vault, _keyvault, _age, _pass), strict=True))


def known_texts(*secrets: Secret) -> tuple[str, ...]:
    """Their values, as far as they can be read now, and whatever was read before: for hiding them."""
    found: list[str] = []
    for one in secrets:
        try:
            found.append(one.get_secret_value())
        except Trouble:
            continue
    return (*found, *seen())
