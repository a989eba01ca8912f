"""Azure Resource Manager's API as the released provider uses it: login, throttling, long-running operations, error texts.

Which calls a resource needs is not decided here.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cluster_sim.mirror.provider import Problem, Stopping
from cluster_sim.mirror.web import Reply, Web, encoded

AGENT = "HashiCorp Terraform (+https://www.terraform.io) terraform-provider-azapi/2.12.0+sim"
"""Shaped like the released provider's, and honest about what it is."""
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
UNSETTLED = frozenset({"accepted", "creating", "updating", "provisioning", "inprogress", "running", "deleting"})
_TRIES_MAX = 4
_BACKOFF_S = 0.8
_POLL_S_FIRST, _POLL_S_MAX = 0.05, 10.0
"""Between two looks at an operation whose answers carry no Retry-After."""
_OPERATION_S_MAX = 30 * 60.0
_TOKEN_S_BEFORE_EXPIRY = 300
_RULE = "-" * 80


@dataclass(frozen=True)
class Account:
    """Who we are in Azure, and where it is."""

    tenant_id: str
    subscription_id: str
    client_id: str
    client_secret: str = ""
    assertion: str = ""
    """An OIDC token, in place of a secret."""
    resource_manager: str = ""
    authority: str = ""
    audience: str = ""


@dataclass(frozen=True)
class Retry:
    """The operator's own `retry`: errors that pass by themselves."""

    patterns: tuple[str, ...] = ()
    interval_s: float = 10.0
    interval_s_max: float = 180.0

    def wants(self, problem: ArmProblem) -> bool:
        return any(re.search(pattern, problem.detail) for pattern in self.patterns)


class ArmProblem(Problem):
    """An answer that is an error, told as azcore tells it."""

    def __init__(self, method: str, url: str, reply: Reply) -> None:
        body = reply.json if isinstance(reply.json, dict) else {}
        inner = body.get("error")
        error = inner if isinstance(inner, dict) else body
        self.status = reply.status
        self.code = str(error.get("code", "UNAVAILABLE"))
        self.retry_after = reply.header("Retry-After")
        text = json.dumps(body, indent=2) if body else reply.body.decode("utf-8", "replace") or "Response contained no body"
        super().__init__(
            f"{method} {url}: {self.code}",
            f"{method} {url}\n{_RULE}\nRESPONSE {reply.status}: {reply.status} {reply.reason}\n"
            f"ERROR CODE: {self.code}\n{_RULE}\n{text}\n{_RULE}",
        )


class Arm:
    def __init__(self, account: Account, tls: ssl.SSLContext, stopping: Stopping, correlation: str = "") -> None:
        self.account, self._stopping = account, stopping
        self._correlation = {"x-ms-correlation-request-id": correlation} if correlation else {}
        self._web = Web(account.resource_manager, tls)
        self._login = Web(account.authority, tls)
        self._token, self._token_ends, self._lock = "", 0.0, threading.Lock()

    @property
    def token(self) -> str:
        """An access token: fetched once, and anew shortly before it expires."""
        with self._lock:
            if time.monotonic() > self._token_ends:
                self._token, seconds = self._log_in()
                self._token_ends = time.monotonic() + max(seconds - _TOKEN_S_BEFORE_EXPIRY, 1)
            return self._token

    def call(
        self,
        method: str,
        resource_id: str,
        api_version: str,
        body: Any = None,
        *,
        query: Mapping[str, Iterable[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry | None = None,
    ) -> Any:
        """One request, and the operation it begins, to its end. Returns the decoded answer, or None when there is none."""
        more = {name: ",".join(values) for name, values in (query or {}).items()}
        target = f"{_path(resource_id)}?{encoded({'api-version': api_version} | more)}"
        retry, pause_s, ends = retry or Retry(), (retry or Retry()).interval_s, time.monotonic() + _OPERATION_S_MAX
        while True:
            try:
                return self._once(method, target, body, headers or {})
            except ArmProblem as problem:
                if not retry.wants(problem) or time.monotonic() > ends:
                    raise
            self._stopping.pause(pause_s)
            pause_s = min(pause_s * 1.5, retry.interval_s_max)

    def _once(self, method: str, target: str, body: Any, headers: Mapping[str, str]) -> Any:
        reply = self._send(method, target, body, headers)
        operation = reply.header("Azure-AsyncOperation")
        location = reply.header("Location")
        if method == "GET":
            return reply.json
        if not operation and not (location and reply.status == 202):
            return self._follow_resource(target) if method in ("PUT", "PATCH") and _state_of(reply) in UNSETTLED else reply.json
        if operation:
            last = self._follow_operation(operation)
            if method in ("PUT", "PATCH"):
                return self._send("GET", target, None, {}).json
            return self._send("GET", _local(location), None, {}).json if method == "POST" and location else last
        return self._follow_location(location)

    def _follow_operation(self, url: str) -> Any:
        for reply in self._looks(url):
            body = reply.json if isinstance(reply.json, dict) else {}
            status = str(body.get("status") or (body.get("properties") or {}).get("provisioningState") or "").lower()
            if status == "succeeded" or (reply.status in (200, 204) and not reply.body):
                return body
            if status in ("failed", "canceled", "cancelled"):
                raise ArmProblem("GET", url, reply)
        raise Problem(f"The operation {url} has not ended after {_OPERATION_S_MAX:.0f} seconds.")

    def _follow_location(self, url: str) -> Any:
        for reply in self._looks(url):
            if reply.status != 202:
                return reply.json
        raise Problem(f"The operation {url} has not ended after {_OPERATION_S_MAX:.0f} seconds.")

    def _follow_resource(self, target: str) -> Any:
        """An answer without an operation's address speaks of its progress by the resource itself."""
        for reply in self._looks(target):
            state = _state_of(reply)
            if state in ("failed", "canceled"):
                raise ArmProblem("GET", target, reply)
            if state not in UNSETTLED:
                return reply.json
        raise Problem(f"{target} is not ready after {_OPERATION_S_MAX:.0f} seconds.")

    def _looks(self, url: str) -> Iterable[Reply]:
        """Looks at an operation, as often as its server wishes."""
        ends, pause_s = time.monotonic() + _OPERATION_S_MAX, _POLL_S_FIRST
        while time.monotonic() < ends:
            reply = self._send("GET", _local(url), None, {})
            yield reply
            wished = reply.header("Retry-After")
            self._stopping.pause(float(wished) if wished.isdigit() else pause_s)
            pause_s = min(pause_s * 2, _POLL_S_MAX)

    def _send(self, method: str, target: str, body: Any, headers: Mapping[str, str]) -> Reply:
        """One request, tried again when the server is busy."""
        content = None if body is None else json.dumps(body).encode()
        for attempt in range(_TRIES_MAX):
            sent = {
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/json",
                "User-Agent": AGENT,
                **self._correlation,
                **headers,
            }
            sent |= {"Content-Type": "application/json"} if content is not None else {}
            reply = self._web.send(method, target, content, sent)
            if reply.ok:
                return reply
            problem = ArmProblem(method, f"https://{self._web.name}{target}", reply)
            if reply.status not in RETRIED or attempt + 1 == _TRIES_MAX:
                raise problem
            self._stopping.pause(float(problem.retry_after) if problem.retry_after.isdigit() else _BACKOFF_S * 2**attempt)
        raise AssertionError("The last try answers or raises.")

    def _log_in(self) -> tuple[str, float]:
        account = self.account
        known = self._login.send("GET", f"/{account.tenant_id}/v2.0/.well-known/openid-configuration", None, {"Accept": "application/json"})
        if not known.ok or not isinstance(known.json, dict) or "token_endpoint" not in known.json:
            raise Problem(f"{self._login.name} does not know the tenant {account.tenant_id!r} (HTTP {known.status}).", _error_text(known))
        form = {
            "client_id": account.client_id,
            "grant_type": "client_credentials",
            "scope": f"{account.audience.rstrip('/')}/.default",
        }
        if account.assertion:
            form["client_assertion"] = account.assertion
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        else:
            form["client_secret"] = account.client_secret
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        reply = self._login.send("POST", _local(known.json["token_endpoint"]), encoded(form).encode(), headers)
        answer = reply.json if isinstance(reply.json, dict) else {}
        if not reply.ok or "access_token" not in answer:
            raise Problem(f"Azure refused the login of client {account.client_id!r} (HTTP {reply.status}).", _error_text(reply))
        return str(answer["access_token"]), float(answer.get("expires_in", 3600))


def _state_of(reply: Reply) -> str:
    body = reply.json if isinstance(reply.json, dict) else {}
    properties = body.get("properties")
    return str(properties.get("provisioningState", "") if isinstance(properties, dict) else "").lower()


def _path(resource_id: str) -> str:
    return resource_id if resource_id.startswith("/") else f"/{resource_id}"


def _local(url: str) -> str:
    """Path and query of an address. The host is ours already: a token is never sent to one that an answer names."""
    split = urlsplit(url)
    return f"{split.path}?{split.query}" if split.query else split.path


def _error_text(reply: Reply) -> str:
    body = reply.json if isinstance(reply.json, dict) else {}
    return str(body.get("error_description") or body.get("error") or reply.reason)
