"""The login authority: metadata, OpenID configuration, client-credential tokens, and reading them back.

Who may do what with one is decided elsewhere.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import Any

from cluster_sim.azure.world import Tenant
from cluster_sim.http import Answer, Request, json_answer

TOKEN_LIFETIME_S = 3599
DATABRICKS_AUDIENCE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
_ARM_HOSTS = ("management.azure.com", "management.core.windows.net")


class BadToken(Exception):
    """The token cannot be accepted, with the reason Azure gives."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Caller:
    client_id: str
    object_id: str


def metadata(base: str, tenant: Tenant, version: str) -> Answer:
    """What a client asks a cloud first. The two shapes are those of API versions before and since 2019."""
    authentication = {
        "loginEndpoint": base,
        "audiences": [base, "https://management.core.windows.net/", "https://management.azure.com/"],
        "tenant": "common",
        "identityProvider": "AAD",
    }
    suffixes = {
        "storage": "core.windows.net",
        "keyVaultDns": "vault.azure.net",
        "acrLoginServer": "azurecr.io",
        "mhsmDns": "managedhsm.azure.net",
        "sqlServerHostname": "database.windows.net",
    }
    if version < "2019":
        return json_answer(
            {
                "galleryEndpoint": base,
                "graphEndpoint": base,
                "portalEndpoint": base,
                "graphAudience": base,
                "authentication": authentication,
                "cloudEndpoint": {"public": {"endpoint": base.removeprefix("https://"), "locations": sorted(tenant.regions)}},
            }
        )
    return json_answer(
        {
            "name": "ClusterSimCloud",
            "portal": base,
            "resourceManager": base,
            "microsoftGraphResourceId": base,
            "graph": base,
            "graphAudience": base,
            "activeDirectoryDataLake": "https://datalake.azure.net/",
            "authentication": authentication,
            "suffixes": suffixes,
        }
    )


def openid(base: str, tenant: Tenant, asked: str) -> Answer:
    if asked.lower() not in (tenant.id.lower(), "common", "organizations"):
        return _refusal(
            400, "invalid_tenant", 90002, f"Tenant '{asked}' not found. Check to make sure you have the correct tenant ID.", 0.0
        )
    at = f"{base}/{asked}"
    return json_answer(
        {
            "issuer": f"{at}/v2.0",
            "authorization_endpoint": f"{at}/oauth2/v2.0/authorize",
            "token_endpoint": f"{at}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{at}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{at}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "NA",
        }
    )


def token(request: Request, base: str, tenant: Tenant, asked: str, now: float) -> Answer:
    """A token for a client secret, or the refusal Entra ID gives, whose code is what clients and people look for."""
    form = dict(request.form)
    client = form.get("client_id", "")
    if asked.lower() != tenant.id.lower():
        return _refusal(
            400, "invalid_request", 90002, f"Tenant '{asked}' not found. Check to make sure you have the correct tenant ID.", now
        )
    if form.get("grant_type") != "client_credentials":
        return _refusal(
            400,
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{form.get('grant_type', '')}'. cluster_sim issues client_credentials only.",
            now,
        )
    if client.lower() != tenant.client_id.lower():
        return _refusal(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client}' was not found in the directory '{tenant.name}'. This can happen if the "
            "application has not been installed "
            "by the administrator of the tenant or consented to by any user in the tenant.",
            now,
        )
    if not hmac.compare_digest(form.get("client_secret", "").encode(), tenant.client_secret.encode()):
        return _refusal(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "
            "client secret ID, "
            f"for a secret added to app '{client}'.",
            now,
        )
    if tenant.client_secret_expired:
        return _refusal(
            401,
            "invalid_client",
            7000222,
            f"The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your app.",
            now,
        )
    # Some clients (MSAL for Go) ask for the OpenID scopes along with the one that counts.
    asked_for = (form.get("scope") or form.get("resource", "") + "/.default").split()
    scope = next((s for s in asked_for if s not in ("openid", "profile", "offline_access")), "")
    if not scope.endswith("/.default"):
        return _refusal(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed.",
            now,
        )
    claims = {
        "aud": scope.removesuffix("/.default"),
        "iss": f"{base}/{tenant.id}/",
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now) + TOKEN_LIFETIME_S,
        "appid": tenant.client_id,
        "idtyp": "app",
        "oid": tenant.object_id,
        "sub": tenant.object_id,
        "tid": tenant.id,
        "uti": uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}{now}").hex[:22],
        "ver": "1.0",
    }
    return json_answer(
        {
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME_S,
            "ext_expires_in": TOKEN_LIFETIME_S,
            "access_token": _sign(claims, tenant),
        }
    )


def read_token(request: Request, tenant: Tenant, now: float, *, databricks: bool = False) -> Caller:
    """Who calls, from a bearer token this authority issued for the service that is asked."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text:
        raise BadToken("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    claims = claims_of(text, tenant, now)
    audience = str(claims["aud"])
    host = audience.removeprefix("https://").rstrip("/")
    wanted = audience.strip("/") == DATABRICKS_AUDIENCE if databricks else host in (*_ARM_HOSTS, request.host, *_aliases(request.host))
    if not wanted:
        raise BadToken(
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{audience}'.",
        )
    return Caller(claims["appid"], claims["oid"])


def claims_of(text: str, tenant: Tenant, now: float) -> dict[str, Any]:
    """What a token of this authority says, whoever it is for."""
    try:
        head, payload, signature = text.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        good = hmac.compare_digest(_signature(f"{head}.{payload}", tenant), signature)
    except ValueError:
        raise BadToken("InvalidAuthenticationToken", "The access token is invalid.") from None
    if not good:
        raise BadToken("InvalidAuthenticationToken", "The access token signature is invalid: this login did not issue it.")
    if now >= claims["exp"]:
        expired = dt.datetime.fromtimestamp(claims["exp"], dt.UTC).isoformat()
        raise BadToken("ExpiredAuthenticationToken", f"The access token expiry UTC time '{expired}' is earlier than current UTC time.")
    return dict(claims)


def _aliases(host: str) -> tuple[str, ...]:
    port = host.rpartition(":")[2]
    return f"localhost:{port}", f"127.0.0.1:{port}"


def _refusal(status: int, error: str, number: int, text: str, now: float) -> Answer:
    stamp = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace = str(uuid.uuid5(uuid.NAMESPACE_URL, f"trace {number} {now}"))
    correlation = str(uuid.uuid5(uuid.NAMESPACE_URL, f"correlation {number} {now}"))
    return json_answer(
        {
            "error": error,
            "error_description": f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
        },
        status,
    )


def _sign(claims: dict[str, Any], tenant: Tenant) -> str:
    head = _encode(json.dumps({"typ": "JWT", "alg": "HS256"}).encode())
    payload = _encode(json.dumps(claims).encode())
    return f"{head}.{payload}.{_signature(f'{head}.{payload}', tenant)}"


def _signature(text: str, tenant: Tenant) -> str:
    # Made from the tenant rather than drawn at random: a token outlives a restart of the world, as with Azure.
    key = hashlib.sha256(f"{tenant.id}:{tenant.client_secret}:signing".encode()).digest()
    return _encode(hmac.new(key, text.encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
