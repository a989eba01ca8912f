"""An OpenID provider of the tests'."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.conftest import free_port
from tests.loopback import Answer, Asked


@dataclass
class Provider:
    """Discovery, keys, code flow with PKCE. Whoever comes is logged in already: as the cookie `who` says, else as carol."""

    port: int = field(default_factory=free_port)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, key: RSAKey | None = None, algorithm: str = "RS256", **claims: object) -> str:
        now = int(time.time())
        said = {"iss": self.issuer, "aud": "berth", "sub": "u-7", "exp": now + 300, "iat": now}
        said |= {"preferred_username": "carol", "groups": ["vips"]}
        return jwt.encode({"alg": algorithm, "kid": "k1"}, {**said, **claims}, key or self.key, algorithms=[algorithm])

    def answer(self, path: str, form: dict[str, str], who: str = "") -> tuple[int, dict[str, Any] | str]:
        where = urlsplit(path)
        if where.path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return 200, {"issuer": self.issuer, **{name: f"{self.issuer}/{end}" for name, end in ends.items()}}
        if where.path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if where.path == "/authorize":
            asked, code = dict(parse_qsl(where.query)), f"c-{secrets.token_hex(8)}"
            self.codes[code] = {**asked, "who": who}
            return 303, f"{asked['redirect_uri']}?code={code}&state={asked['state']}"
        asked = self.codes.pop(form.get("code", ""), {})
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked.get("code_challenge") != proof or asked.get("code_challenge_method") != "S256":
            return 400, {"error": "invalid_grant"}
        person = {"sub": asked["who"], "preferred_username": asked["who"], "groups": []} if asked["who"] else {}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.token(nonce=asked["nonce"], **person)}

    def serve(self, asked: Asked) -> Answer:
        who = SimpleCookie(asked.headers.get("cookie", "")).get("who")
        status, said = self.answer(asked.target, dict(parse_qsl(asked.body.decode())), who.value if who else "")
        return Answer(status, headers={"location": said}) if isinstance(said, str) else Answer.of(status, said)
