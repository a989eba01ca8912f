"""How tests reach the simulated Azure: served over TLS (`Site`), or asked directly without a socket (`Direct`)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from cluster_sim.authority import make_authority
from cluster_sim.azure import AzurePart, build
from cluster_sim.clock import ManualClock
from cluster_sim.http import Answer, Request, Server

WORLD = Path(__file__).parents[3] / "cluster_sim" / "worlds" / "azure_subscription.yaml"


@cache
def _written() -> Any:
    return yaml.safe_load(WORLD.read_text("utf-8"))["azure"]


def section() -> dict[str, Any]:
    """The world's section, to be changed at will."""
    return dict(copy.deepcopy(_written()))


@dataclass(frozen=True)
class Site:
    """A served Azure, as a client knows it."""

    part: AzurePart
    ca_file: str
    url: str
    subscription: str

    def credential(self, **other: str) -> ClientSecretCredential:
        ready = self.part.ready() | other
        return ClientSecretCredential(
            ready["tenant_id"],
            ready["client_id"],
            ready["client_secret"],
            authority=self.url,
            disable_instance_discovery=True,
            connection_verify=self.ca_file,
        )

    def client(self, kind: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return kind(
            self.credential(),
            *arguments,
            base_url=self.url,
            credential_scopes=[f"{self.url}/.default"],
            connection_verify=self.ca_file,
            **options,
        )

    def resources(self) -> ResourceManagementClient:
        client: ResourceManagementClient = self.client(ResourceManagementClient, self.subscription, polling_interval=0)
        return client


def serve(part: AzurePart, folder: Path) -> Iterator[Site]:
    authority = make_authority(folder)
    tls = authority.server_tls("azure")
    servers = {name: Server(service, tls).start() for name, service in part.services.items()}
    try:
        part.bind({name: f"https://localhost:{server.port}" for name, server in servers.items()})
        yield Site(part, str(authority.ca_file), f"https://localhost:{servers['arm'].port}", part.ready()["subscription_id"])
    finally:
        for server in servers.values():
            server.stop()


@dataclass
class Direct:
    """Asks the service itself, without a socket: for tables of answers."""

    part: AzurePart
    clock: ManualClock
    token: str = ""

    @property
    def subscription(self) -> str:
        return str(self.part.cloud.world.subscriptions[0].id)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = "2025-01-01",
        token: str | None = None,
        service: str = "arm",
        **query: str,
    ) -> Answer:
        path = path.replace("{sub}", f"/subscriptions/{self.subscription}")
        pairs = tuple(query.items()) + ((("api-version", version),) if version else ())
        given = self.token if token is None else token
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        text = "" if isinstance(body, bytes) else json.dumps(body).replace("{sub}", f"/subscriptions/{self.subscription}")
        data = body if isinstance(body, bytes) else b"" if body is None else text.encode()
        return self.part.services[service](Request(method, path, pairs, headers, data, "localhost:4443"))

    def json(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = self.ask(method, path, body, **options)
        return json.loads(answer.body) if answer.body else None

    def log_in(self, scope: str = "https://localhost:4443/.default", **other: str) -> Answer:
        tenant = self.part.cloud.world.tenant
        form = {
            "grant_type": "client_credentials",
            "client_id": tenant.client_id,
            "client_secret": tenant.client_secret,
            "scope": scope,
        } | other
        body = "&".join(f"{k}={v}" for k, v in form.items()).encode()
        return self.part.services["arm"](Request("POST", f"/{tenant.id}/oauth2/v2.0/token", (), {}, body, "localhost:4443"))

    def make(self, path: str, **body: Any) -> Any:
        """A PUT that must be accepted."""
        answer = self.ask("PUT", path, body)
        assert answer.status in (200, 201, 202), answer.body
        return json.loads(answer.body) if answer.body else None


def direct(world: dict[str, Any] | None = None, folder: Path | None = None, clock: ManualClock | None = None) -> Direct:
    clock = clock or ManualClock()
    asked = Direct(build(world or section(), clock, folder), clock)
    asked.token = json.loads(asked.log_in().body)["access_token"]
    return asked
