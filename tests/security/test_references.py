"""Secrets by reference: what stands there is read when it is needed, and whatever is in the way is said with the next move."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, get_args

import pyrage
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest

from tests.conftest import ROOT, wait_until
from tools.clients import references
from tools.clients.references import Secret, from_key_vault, referred
from tools.clients.settings import Settings
from tools.pipeline import doctor
from tools.pipeline.doctor import _references as examined
from tools.values.site import SECRETS, Site
from tools.values.trouble import RequestProblem, Trouble, WorldProblem

from .vault import Vault, served

TOKEN = "hvs.0123456789abcdefghijkl"
PROXMOX = "berth@pve!berth=5ca40000-0000-4000-8000-00000000c0de"


@contextmanager
def environment(**given: str) -> Iterator[None]:
    """Of this process, as it was afterwards: references are read from the real one."""
    before = dict(os.environ)
    for name in ("VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "BERTH_AGE_IDENTITY", "PASSWORD_STORE_DIR"):
        os.environ.pop(name, None)
    os.environ.update(given)
    references.forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def a_vault() -> Vault:
    return Vault(
        token=TOKEN,
        mounts={"kv": {"berth/proxmox": {"token": PROXMOX, "empty": "", "number": 7}, "gone": None, "closed": {"token": "x"}}},
        may_read=frozenset({"kv/data/berth/proxmox", "kv/data/gone", "kv/data/nothing"}),
    )


def test_a_setting_may_be_a_reference_to_vault() -> None:
    with served(vault := a_vault()) as address, environment(VAULT_ADDR=address, VAULT_TOKEN=TOKEN):
        given = {"PROXMOX_VE_API_TOKEN": "vault:kv/berth/proxmox#token", "PROXMOX_VE_ENDPOINT": "https://127.0.0.1:9"}
        settings = Settings.from_environment(given)
        assert vault.asked == [], "it is read when it is needed"
        assert PROXMOX not in f"{settings!r} {settings}"
        assert settings.proxmox_api_token and not settings.proxmox_scan_token and vault.asked == []
        assert settings.proxmox_api_token.get_secret_value() == PROXMOX
        assert {PROXMOX, PROXMOX.partition("=")[2]} <= set(settings.secret_texts()), "and hidden wherever it would be shown"
        assert vault.asked == ["/v1/kv/data/berth/proxmox"], "and is kept for a while"
        [found] = examined(settings.secrets())
        assert found.good and PROXMOX not in str(found)
        vault.mounts["kv"]["berth/proxmox"] = {"token": PROXMOX.replace("c0de", "beef")}
        references.forget()
        assert settings.proxmox_api_token.get_secret_value().endswith("beef")
        assert PROXMOX in settings.secret_texts(), "what was a secret before is shown to nobody either"


@pytest.mark.parametrize(
    ("reference", "vault", "kind", "named", "retryable"),
    [
        (
            "vault:kv/berth/nothing#token",
            {"may_read": frozenset({"kv/data/berth/nothing"})},
            RequestProblem,
            "no secret berth/nothing",
            False,
        ),
        ("vault:kv/gone#token", {}, RequestProblem, "deleted", False),
        ("vault:kv/berth/proxmox#other", {}, RequestProblem, "no text called other", False),
        ("vault:kv/berth/proxmox#number", {}, RequestProblem, "no text called number", False),
        ("vault:kv/berth/proxmox#empty", {}, RequestProblem, "Nothing can be read", False),
        ("vault:kv/closed#token", {}, WorldProblem, "may not read kv/closed", True),
        ("vault:kv/berth/proxmox#token", {"token": "hvs.another"}, WorldProblem, "has expired", True),
        ("vault:kv/berth/proxmox#token", {"sealed": True}, WorldProblem, "gives no secrets now", True),
        ("vault:kv/berth/proxmox#token", {"says_instead": b"<html>"}, WorldProblem, "", False),
        ("vault:kv/berth/proxmox#token", {"says_instead": b'{"data": []}'}, WorldProblem, "no secret of KV version 2", False),
        ("vault:kv/berth/proxmox", {}, RequestProblem, "names no key", False),
        ("vault:kv#token", {}, RequestProblem, "names no key", False),
    ],
)
def test_what_vault_refuses_is_told(reference: str, vault: Mapping[str, Any], kind: type[Trouble], named: str, retryable: bool) -> None:
    made = a_vault()
    for name, value in vault.items():
        setattr(made, name, value)
    with served(made) as address, environment(VAULT_ADDR=address, VAULT_TOKEN=TOKEN), pytest.raises(Trouble) as trouble:
        referred(reference)
    assert type(trouble.value) is kind and named in trouble.value.detail and trouble.value.remedy
    assert getattr(trouble.value, "retryable", False) == retryable
    assert TOKEN not in str(trouble.value) and PROXMOX not in str(trouble.value)


def test_a_vault_is_left_when_it_has_answered() -> None:
    with served(a_vault()) as address, environment(VAULT_ADDR=address, VAULT_TOKEN=TOKEN):
        attending = threading.active_count()
        for reference, found in (("vault:kv/berth/proxmox#token", True), ("vault:kv/closed#token", False)):
            with nullcontext() if found else pytest.raises(WorldProblem):
                referred(reference)
            wait_until(lambda: threading.active_count() <= attending, 5, lambda: "a connection is still open")


@pytest.mark.parametrize(
    ("given", "reference", "restarts"),
    [
        ({}, "env:NOTHING_IS_THERE", True),
        ({}, "file:/nowhere", False),
        ({}, "file:~nobody-is-called-so/x", False),
        ({"BERTH_AGE_IDENTITY": "~nobody-is-called-so/x"}, "age:/nowhere", False),
        ({"VAULT_TOKEN": "hvs.another"}, "vault:kv/berth/proxmox#token", True),
        ({"HOME": "/nowhere"}, "vault:kv/berth/proxmox#token", False),
    ],
)
def test_who_changes_the_environment_is_told_to_start_again(given: Mapping[str, str], reference: str, restarts: bool) -> None:
    """A retry reads a file anew; the environment of a process that runs stays as it is."""
    with served(a_vault()) as address, environment(VAULT_ADDR=address, **given), pytest.raises(Trouble) as trouble:
        referred(reference)
    assert ("start Berth again" in trouble.value.remedy) is restarts


def test_the_list_of_secrets_is_one_and_the_guide_has_it_whole() -> None:
    """Doctor examines it, the guide names it: a field that takes a reference and is not in it would be neither."""
    fields = {
        f"{place}.{name}"
        for place, section in Site.model_fields.items()
        for kind in (section.annotation, *get_args(section.annotation))
        for name, field in getattr(kind, "model_fields", {}).items()
        if "vault|keyvault" in str(field.metadata)
    }
    assert fields == set(SECRETS)
    guide = (ROOT / "docs" / "secrets.md").read_text()
    assert [name for name in (*Settings.from_environment({}).secrets(), *SECRETS) if f"`{name}`" not in guide] == []


def test_doctor_examines_each_secret_of_the_site_file(tmp_path: Path) -> None:
    there, missing = f"file:{tmp_path / 'there'}", "file:/nowhere"
    (tmp_path / "there").write_text("s3cret-of-the-site")
    site = {
        "names": {"server": "127.0.0.1", "port": 1, "zones": ["example.org"], "key": missing},
        "ipam": {"url": "https://127.0.0.1:1", "token": there},
        "monitoring": {"alert_webhook": missing, "proxmox_token": there},
    }
    (tmp_path / "site.yaml").write_text(json.dumps(site))
    given = {"BERTH_SITE_FILE": str(tmp_path / "site.yaml"), "BERTH_HOME": str(tmp_path), "HOME": str(tmp_path)}
    found = {one.subject: one.good for one in doctor.examine(Settings.from_environment(given))}
    assert {name: found.get(f"{name} of the site file") for name in SECRETS} == {
        "names.key": False,
        "ipam.token": True,
        "monitoring.alert_webhook": False,
        "monitoring.proxmox_token": True,
    }


@pytest.mark.parametrize("address", ["", "vault.example.org", "http://vault.example.org:8200"])
def test_vault_is_asked_by_https_alone(address: str) -> None:
    with environment(VAULT_ADDR=address, VAULT_TOKEN=TOKEN), pytest.raises(RequestProblem) as problem:
        referred("vault:kv/berth/proxmox#token")
    assert "VAULT_ADDR" in problem.value.detail


def test_a_vault_that_is_away_is_told_and_tried_again() -> None:
    with environment(VAULT_ADDR="http://127.0.0.1:9", VAULT_TOKEN=TOKEN):
        with pytest.raises(WorldProblem) as problem:
            referred("vault:kv/berth/proxmox#token")
        assert problem.value.retryable
        settings = Settings.from_environment({"PROXMOX_VE_API_TOKEN": "vault:kv/berth/proxmox#token", "ARM_CLIENT_SECRET": "plain-secret"})
        assert "plain-secret" in settings.secret_texts(), "what can be hidden is"
        [found] = examined(settings.secrets())
        assert not found.good and found.remedy


class KeyVault(HttpTransport):  # type: ignore[type-arg]
    """What is sent to a Key Vault, and what it answers: first the challenge that azure-keyvault-secrets 4.12.0 waits for."""

    def __init__(self, status: int, body: Mapping[str, Any], error: Exception | None = None) -> None:
        self.status, self.body, self.error = status, body, error
        self.asked: list[str] = []

    def send(self, request: HttpRequest, **options: Any) -> Any:
        if self.error:
            raise self.error
        self.asked.append(request.url)
        authorized = request.headers.get("Authorization") == "Bearer of-the-vault"
        status, body = (self.status, self.body) if authorized else (401, {"error": {"code": "Unauthorized", "message": "challenge"}})
        challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
        return _answer(request, status, body, {} if authorized else {"WWW-Authenticate": challenge})

    def open(self) -> None: ...
    def close(self) -> None: ...
    def __exit__(self, *exc: object) -> None: ...
    def __enter__(self) -> KeyVault:
        return self


def _answer(request: HttpRequest, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    import requests
    from azure.core.rest._requests_basic import RestRequestsTransportResponse

    inner = requests.Response()
    inner.status_code, inner._content, inner._content_consumed = status, json.dumps(body).encode(), True
    inner.reason = "said"
    inner.headers.update({"content-type": "application/json", **headers})
    return RestRequestsTransportResponse(request=request, internal_response=inner, block_size=4096)


class Signed:
    """Somebody who is signed in at Azure."""

    left = 0
    """How often that was done with."""

    def close(self) -> None:
        Signed.left += 1

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://vault.azure.net/.default",)
        return AccessToken("of-the-vault", 2**31)

    def get_token_info(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo(self.get_token(*scopes).token, 2**31)


def test_a_key_vault_is_asked_for_one_secret() -> None:
    vault = KeyVault(200, {"value": "s3cret", "id": "https://ours.vault.azure.net/secrets/proxmox/1", "attributes": {"enabled": True}})
    before = Signed.left
    assert from_key_vault("ours/proxmox", Signed, transport=vault) == "s3cret"
    assert Signed.left == before + 1, "its connections are closed"
    assert {url.partition("?")[0].rstrip("/") for url in vault.asked} == {"https://ours.vault.azure.net/secrets/proxmox"}


@pytest.mark.parametrize(
    ("place", "vault", "kind", "named"),
    [
        ("ours/none", KeyVault(404, {"error": {"code": "SecretNotFound", "message": "m"}}), RequestProblem, "no secret none"),
        ("ours/proxmox", KeyVault(403, {"error": {"code": "Forbidden", "message": "m"}}), WorldProblem, "may not read proxmox of ours"),
        ("ours/proxmox", KeyVault(200, {}, ServiceRequestError("no such host")), WorldProblem, "https://ours.vault.azure.net"),
        ("ours", KeyVault(200, {}), RequestProblem, "names no secret"),
        ("ours/a/b", KeyVault(200, {}), RequestProblem, "names no secret"),
    ],
)
def test_what_a_key_vault_refuses_is_told(place: str, vault: KeyVault, kind: type[Trouble], named: str) -> None:
    with pytest.raises(Trouble) as trouble:
        from_key_vault(place, Signed, transport=vault)
    assert type(trouble.value) is kind and named in trouble.value.detail and trouble.value.remedy


def test_an_age_file_is_decrypted_to_its_identity(tmp_path: Path) -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(f"# created: 2026-11-30\n# public key: {mine.to_public()}\n{mine}\n")
    (tmp_path / "secret.age").write_bytes(pyrage.encrypt(b"s3cret\n", [mine.to_public()]))
    (tmp_path / "theirs.age").write_bytes(pyrage.encrypt(b"s3cret\n", [other.to_public()]))
    with environment(BERTH_AGE_IDENTITY=str(tmp_path / "identity")):
        assert referred(f"age:{tmp_path}/secret.age") == "s3cret"
        for name in ("theirs.age", "none.age", "identity"):
            with pytest.raises(RequestProblem):
                referred(f"age:{tmp_path}/{name}")
    with environment(), pytest.raises(RequestProblem) as problem:
        referred(f"age:{tmp_path}/secret.age")
    assert "BERTH_AGE_IDENTITY" in problem.value.detail


@pytest.mark.skipif(shutil.which("gpg") is None, reason="no gpg is installed here")
def test_an_entry_of_the_password_store_is_read_by_gpg(tmp_path: Path) -> None:
    home, store = tmp_path / "gpg", tmp_path / "store"
    home.mkdir(mode=0o700)
    (store / "berth").mkdir(parents=True)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""]
    try:
        subprocess.run([*gpg, "--quick-generate-key", "berth@example.org", "future-default", "default", "never"], check=True)
        told = ["--trust-model", "always", "-r", "berth@example.org", "-o", str(store / "berth" / "token.gpg"), "-e"]
        subprocess.run([*gpg, *told], input=b"s3cret\nurl: https://pve\n", check=True)
        (tmp_path / "outside.gpg").write_bytes((store / "berth" / "token.gpg").read_bytes())
        (store / "broken.gpg").write_bytes(b"x")
        with environment(PASSWORD_STORE_DIR=str(store), GNUPGHOME=str(home)):
            assert referred("pass:berth/token") == "s3cret"
            for name in ("berth/none", "../outside", "broken"):
                with pytest.raises(RequestProblem):
                    referred(f"pass:{name}")
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def test_what_is_no_reference_is_the_secret_itself() -> None:
    for text in ("", "user@pve!name=vault:x", "postgresql://berth:pw@db/berth", "https://hook.example.org/env:x", "vault:"):
        secret = Secret(text)
        assert (secret.get_secret_value(), secret.reference, bool(secret)) == (text, "", bool(text))
    with pytest.raises(RequestProblem):
        referred("plain:NAME")
