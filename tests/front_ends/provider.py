"""An OpenID provider: Authlib's own server (code flow, PKCE by S256, single use of a code, the redirect address that was registered), on
loopback. What is the tests' of it: that whoever comes is logged in already, and the one client that is registered."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.common.security import generate_token
from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.models import AuthorizationCodeMixin
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.conftest import free_port
from tests.loopback import Answer, Asked

CLIENT, CAROL, SCOPES = "berth", "carol", {"openid", "profile", "email"}
CODE_SECONDS = 60


@dataclass
class Provider:
    """Discovery, keys, the two endpoints of the code flow. Whoever comes is who the cookie `who` says, else carol."""

    port: int = field(default_factory=free_port)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}))

    def __post_init__(self) -> None:
        self.server = _Server(self)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, key: RSAKey | None = None, algorithm: str = "RS256", **claims: object) -> str:
        """As a program has one of it, which sends it itself."""
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "sub": "u-7", "exp": now + 300, "iat": now}
        said |= {"preferred_username": CAROL, "groups": ["vips"]}
        return jwt.encode({"alg": algorithm, "kid": "k1"}, {**said, **claims}, key or self.key, algorithms=[algorithm])

    def serve(self, asked: Asked) -> Answer:
        match asked.method, asked.path:
            case "GET", "/.well-known/openid-configuration":
                ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                return Answer.of(200, {"issuer": self.issuer, **{name: f"{self.issuer}/{end}" for name, end in ends.items()}})
            case "GET", "/keys":
                return Answer.of(200, {"keys": [self.key.as_dict(private=False)]})
            case "GET", "/authorize":
                who = SimpleCookie(asked.headers.get("cookie", "")).get("who")
                return self.server.authorize(asked, who.value if who else "")
            case "POST", "/token":
                return self.server.create_token_response(asked)
        return Answer.of(404, {"error": "not_found"})


class _Request(OAuth2Request):  # type: ignore[misc]
    """On loopback without TLS, which Authlib asks for by the address."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.method, f"https://localhost{asked.target}", headers={k.title(): v for k, v in asked.headers.items()})
        self._form = dict(parse_qsl(asked.body.decode()))
        self.payload = BasicOAuth2Payload(dict(parse_qsl(asked.query)) | self._form)

    @property
    def form(self) -> dict[str, str]:
        return self._form


class _Client(ClientMixin):  # type: ignore[misc]
    """Public: PKCE protects it."""

    client_id, id_token_signed_response_alg = CLIENT, "RS256"

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(one for one in scope.split() if one in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return urlsplit(redirect_uri).path == "/callback"  # Each test serves at a port of its own.

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class _Code(AuthorizationCodeMixin):  # type: ignore[misc]
    code: str
    who: str
    said: Mapping[str, str]
    """In the request that it answers."""
    at: float = field(default_factory=time.time)

    def get_redirect_uri(self) -> str:
        return self.said["redirect_uri"]

    def get_scope(self) -> str:
        return self.said["scope"]

    def get_nonce(self) -> str:
        return self.said.get("nonce", "")

    def get_auth_time(self) -> int:
        return int(self.at)

    @property
    def code_challenge(self) -> str:
        return self.said.get("code_challenge", "")

    @property
    def code_challenge_method(self) -> str:
        return self.said.get("code_challenge_method", "")


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code: str, request: Any) -> None:
        self.server.codes[code] = made = _Code(code, request.user, dict(request.payload.data))
        self.server.nonces.add(made.get_nonce())

    def query_authorization_code(self, code: str, client: Any) -> _Code | None:
        found = self.server.codes.get(code)
        fresh = found is not None and found.said["client_id"] == client.client_id and time.time() < found.at + CODE_SECONDS
        return found if fresh else None

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        del self.server.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: _Code) -> str:
        return authorization_code.who


class _Challenge(CodeChallenge):  # type: ignore[misc]
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)


class _OpenId(OpenIDCode):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return nonce in self.provider.server.nonces

    def resolve_client_private_key(self, client: Any) -> RSAKey:
        return self.provider.key

    def get_encode_header(self, client: Any) -> dict[str, str]:
        return {"alg": "RS256", "kid": "k1"}

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [client.client_id]}

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        groups = ["vips"] if user == CAROL else []
        return UserInfo(sub="u-7" if user == CAROL else user, preferred_username=user, groups=groups)


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        super().__init__(scopes_supported=sorted(SCOPES))
        self.codes: dict[str, _Code] = {}
        self.nonces: set[str] = set()
        self.register_token_generator("default", BearerTokenGenerator(lambda **_: generate_token(42)))
        self.register_grant(_CodeGrant, [_Challenge(required=True), _OpenId(provider)])

    def authorize(self, asked: Asked, who: str) -> Answer:
        """Whoever comes has logged in before, and agrees."""
        try:
            grant = self.get_consent_grant(asked, who or CAROL)
        except OAuth2Error as error:
            return self.handle_error_response(None, error)
        return self.create_authorization_response(grant.request, who or CAROL, grant)

    def query_client(self, client_id: str) -> _Client | None:
        return _Client() if client_id == CLIENT else None

    def save_token(self, token: Any, request: Any) -> None:
        """Nobody asks here with it."""

    def create_oauth2_request(self, request: Any) -> _Request:
        return request if isinstance(request, _Request) else _Request(request)

    def send_signal(self, name: str, *args: Any, **given: Any) -> None: ...

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        return Answer(status, (json.dumps(body) if isinstance(body, dict) else body or "").encode(), dict(headers))
