"""A subscription just large enough for the recorded calls: it keeps what it is given, and takes two looks to make most things.

It is no simulator, and writes down every call but the logins, which it counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cluster_sim.http import Answer, Request, json_answer

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-00000000000a"


@dataclass
class Subscription:
    resources: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str, str, Any]] = field(default_factory=list)
    """Method, path, API version, body."""
    logins: int = 0
    looks_until_done: int = 2
    failing: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    """Answers given instead, one a call, by method and end of the path."""
    operation: dict[str, Any] = field(default_factory=lambda: {"status": "Succeeded"})
    headers: list[dict[str, str]] = field(default_factory=list)
    _looks: dict[str, int] = field(default_factory=dict)

    def __call__(self, request: Request) -> Answer:
        path, query = request.path, dict(request.query)
        base = f"https://{request.host}"
        if path.endswith("/.well-known/openid-configuration"):
            return json_answer(
                {"issuer": base, "authorization_endpoint": f"{base}/a", "token_endpoint": f"{base}/{TENANT}/oauth2/v2.0/token"}
            )
        if path.endswith("/oauth2/v2.0/token"):
            self.logins += 1
            return self._log_in(dict(request.form))
        self.calls.append((request.method, path, query.get("api-version", ""), request.json))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        for (method, end), answers in self.failing.items():
            if request.method == method and path.endswith(end) and answers:
                return answers.pop(0)
        if request.headers.get("Authorization") != "Bearer a.token":
            return _error("AuthenticationFailed", "Authentication failed.", 401)
        if "/operations/" in path:
            return self._look(path)
        return self._resource(request, path, base)

    def _log_in(self, form: dict[str, str]) -> Answer:
        if "secret" not in (form.get("client_secret"), form.get("client_assertion")):
            return json_answer({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}, 401)
        return json_answer({"access_token": "a.token", "token_type": "Bearer", "expires_in": 3599})

    def _resource(self, request: Request, path: str, base: str) -> Answer:
        key = path.lower()
        quick = key.count("/") == 4
        if request.method == "GET" and key.endswith("/vaults"):
            return json_answer({"value": [value for name, value in self.resources.items() if name.startswith(f"{key}/")]})
        if request.method == "POST" and key.endswith("/listkeys"):
            return json_answer({"keys": [{"value": "k1"}]})
        if request.method == "PUT":
            new = key not in self.resources
            self.resources[key] = self._made(path, request.json)
            headers = {} if quick else {"azure_asyncoperation": f"{base}{self._begin('put', path)}"}
            answer = json_answer(self.resources[key], 201 if new else 200)
            return Answer(answer.status, answer.body, dict(answer.headers) | {_NAMES[name]: value for name, value in headers.items()})
        if key not in self.resources:
            return _error("ResourceNotFound", f"The Resource '{path}' was not found.", 404)
        if request.method == "DELETE":
            self.resources = {name: value for name, value in self.resources.items() if not name.startswith(key)}
            return Answer(202, b"", {"Location": f"{base}{self._begin('delete', path)}", "Retry-After": "0"})
        return json_answer(self.resources[key])

    def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        made = {"id": path, "name": name, **body}
        made["properties"] = {
            **body.get("properties", {}),
            "provisioningState": "Succeeded",
            "vaultUri": f"https://{name}.vault.example/",
        }
        if "identity" in body:
            made["identity"] = {**body["identity"], "principalId": "p-1", "tenantId": TENANT}
        return made

    def _begin(self, kind: str, path: str) -> str:
        place = f"/subscriptions/{SUBSCRIPTION}/operations/{kind}-{len(self._looks)}"
        self._looks[place] = self.looks_until_done if kind == "put" else 1
        return place

    def _look(self, path: str) -> Answer:
        self._looks[path] -= 1
        if "delete" in path:
            return Answer(204)
        answer = json_answer({"status": "InProgress"} if self._looks[path] > 0 else self.operation)
        return Answer(answer.status, answer.body, dict(answer.headers) | {"Retry-After": "0"})


_NAMES = {"azure_asyncoperation": "Azure-AsyncOperation"}


def _error(code: str, message: str, status: int) -> Answer:
    return json_answer({"error": {"code": code, "message": message}}, status)


def throttled() -> Answer:
    return Answer(429, json.dumps({"error": {"code": "TooManyRequests", "message": "Slow down."}}).encode(), {"Retry-After": "0"})
