"""Who somebody is: by a token from a file, by a proxy's word, by a bearer token of an OpenID provider, or by a browser's cookie after a
login there. Signatures are checked by joserfc, the login is Authlib's. Roles come from the roles file alone, by name or by `group:NAME`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from tools.clients.serving import Config, Oidc
from tools.rules.plans.approving import Roles
from tools.rules.plans.permitting import tenant_of
from tools.values.person import Person
from tools.values.tenant import Tenants
from tools.values.value import same

SESSION_COOKIE = "berth_session"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=-]{0,99}")
"""Of a person: it stands in addresses and in the names of conversations."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures by a key that only the provider has."""
LEEWAY_SECONDS = 60
KEYS_SECONDS_MAX = 600.0
ASKING_SECONDS_MAX = 10.0
TOKEN_CHARACTERS_MAX = 16_384


class Provider:
    """An OpenID provider, as its own discovery document describes it."""

    def __init__(self, oidc: Oidc) -> None:
        self.oidc = oidc
        self._lock = asyncio.Lock()
        self._known: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._asked_at = -KEYS_SECONDS_MAX

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=ASKING_SECONDS_MAX, verify=str(self.oidc.ca_file) if self.oidc.ca_file else True)

    async def endpoint(self, name: str) -> str:
        await self._ask(again=False)
        return str(self._known[name])

    async def claims(self, token: str, audience: str, nonce: str = "") -> dict[str, Any]:
        """What a token says, once its signature, issuer, audience and times hold. Raises JoseError or ValueError."""
        await self._ask(again=False)
        try:
            found = self._decoded(token)
        except (JoseError, ValueError):
            # Keys are changed now and then, and a new one is not among those that were asked for last.
            await self._ask(again=True)
            found = self._decoded(token)
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.oidc.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        rules.validate(found)
        if nonce and not same(str(found.get("nonce", "")), nonce):
            raise ValueError("the token belongs to another login")
        return found

    def _decoded(self, token: str) -> dict[str, Any]:
        assert self._keys is not None
        return dict(jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims)

    async def _ask(self, again: bool) -> None:
        async with self._lock:
            age = time.monotonic() - self._asked_at
            if self._keys is not None and (age < LEEWAY_SECONDS / 2 if again else age < KEYS_SECONDS_MAX):
                return
            async with self.client() as client:
                known = (await client.get(f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration")).raise_for_status().json()
                if known.get("issuer") != self.oidc.issuer:
                    raise ValueError("the provider calls itself by another name")
                keys = (await client.get(known["jwks_uri"])).raise_for_status().json()
            self._known, self._keys = known, KeySet.import_key_set(keys)
            self._asked_at = time.monotonic()


class People:
    def __init__(self, config: Config, key: bytes, provider: Provider | None) -> None:
        self.config = config
        self.provider = provider
        self._key = OctKey.import_key(key)

    async def find(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> tuple[str, tuple[str, ...], bool] | None:
        """(name, groups, whether a browser's cookie said so); None for nobody we know."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer":
            return await self._by_token(token.strip())
        if self.config.proxy and self.config.proxy.secret_header.lower() in headers:
            if not self.is_proxy(headers):
                return None
            if self.config.proxy.name_header.lower() in headers:
                return self._by_proxy(headers)
        return self._by_cookie(cookies.get(self.config.cookie(SESSION_COOKIE), ""))

    def is_proxy(self, headers: Mapping[str, str]) -> bool:
        """It says by the secret that it is the one."""
        proxy = self.config.proxy
        if proxy is None:
            return False
        secret = proxy.secret_file.read_text(encoding="utf-8").strip()
        return bool(secret) and same(headers.get(proxy.secret_header.lower(), ""), secret)

    def cookie(self, name: str, groups: tuple[str, ...]) -> str:
        now = int(time.time())
        said = {"sub": name, "groups": list(groups), "iat": now, "exp": now + int(self.config.session_hours * 3600), "use": "session"}
        return jwt.encode({"alg": "HS256"}, said, self._key)

    def sealed(self, said: dict[str, str], seconds: int) -> str:
        """Something that a browser keeps for us while somebody logs in."""
        return jwt.encode({"alg": "HS256"}, {**said, "exp": int(time.time()) + seconds, "use": "login"}, self._key)

    def opened(self, text: str, use: str) -> dict[str, Any]:
        """Empty where it was not sealed by us for that, or is too old."""
        try:
            found = dict(jwt.decode(text, self._key, algorithms=["HS256"]).claims)
            jwt.JWTClaimsRegistry(exp={"essential": True}, use={"essential": True, "value": use}).validate(found)
        except (JoseError, ValueError):
            return {}
        return found

    def named(self, claims: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        oidc = self.config.oidc
        assert oidc is not None
        # No other claim in its place: a token that was asked for without this one would make a second person of whoever has it.
        name, groups = claims.get(oidc.name_claim), claims.get(oidc.groups_claim) or []
        if not isinstance(name, str) or not NAME.fullmatch(name) or not isinstance(groups, list):
            return None
        return name, tuple(str(one) for one in groups[:200])

    async def _by_token(self, token: str) -> tuple[str, tuple[str, ...], bool] | None:
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        for name, known in self._tokens():
            if same(known, digest):
                return name, (), False
        if self.provider is None or self.config.oidc is None or token.count(".") != 2:
            return None
        try:
            claims = await self.provider.claims(token, self.config.oidc.audience or self.config.oidc.client_id)
        except (JoseError, ValueError, KeyError, httpx.HTTPError):
            return None
        found = self.named(claims)
        return (*found, False) if found else None

    def _tokens(self) -> list[tuple[str, str]]:
        """A line a token: its person's name, and its SHA-256. Read each time, so that one that is taken out is out at once."""
        if self.config.tokens_file is None:
            return []
        lines = (line.split() for line in self.config.tokens_file.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
        return [(words[0], words[1].lower()) for words in lines if len(words) == 2 and NAME.fullmatch(words[0])]

    def _by_proxy(self, headers: Mapping[str, str]) -> tuple[str, tuple[str, ...], bool] | None:
        proxy = self.config.proxy
        assert proxy is not None
        name = headers[proxy.name_header.lower()]
        if not NAME.fullmatch(name):
            return None
        groups = headers.get(proxy.groups_header.lower(), "") if proxy.groups_header else ""
        return name, tuple(filter(None, (one.strip() for one in groups.split(",")))), True

    def _by_cookie(self, text: str) -> tuple[str, tuple[str, ...], bool] | None:
        said = self.opened(text, "session") if text else {}
        name = said.get("sub")
        return (name, tuple(said.get("groups") or ()), True) if isinstance(name, str) and NAME.fullmatch(name) else None


def person_of(name: str, groups: tuple[str, ...], chosen: str, roles: Roles, tenants: Tenants) -> Person:
    """Raises RequestProblem for somebody in several tenants who has `chosen` none, or another one."""
    held = [*roles.get(name, ()), *(role for group in groups for role in roles.get(f"group:{group}", ()))]
    return Person(name, tuple(dict.fromkeys(held)), tenant=tenant_of(name, groups, tenants, chosen))
