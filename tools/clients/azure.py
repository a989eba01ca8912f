"""Reads an Azure subscription through Azure's own Python libraries, over TLS that is always verified. It judges nothing and changes
nothing.

What azure-mgmt-resource has no operation for goes as a plain ARM request over the same kind of pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, Literal, TypeVar

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy, RequestIdPolicy, RetryPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from tools.clients.connections import AzureConnection
from tools.clients.together import Away
from tools.rules.names.foreign import theirs
from tools.values.trouble import WorldProblem
from tools.values.value import Json

CONNECT_SECONDS_MAX = 5
ANSWER_SECONDS_MAX = 30
RETRIES_MAX = 2
ROWS_MAX = 20_000
"""Of one list; a subscription that has more is not read to its end."""
PUBLIC_ENDPOINT = "https://management.azure.com"
PUBLIC_GRAPH = "https://graph.microsoft.com"
PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
API_VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.CognitiveServices": "2025-06-01",
    "Microsoft.ContainerService": "2025-05-01",
    "Microsoft.DBforPostgreSQL": "2025-08-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.Network": "2024-05-01",
    "Microsoft.Storage": "2023-05-01",
    "Microsoft.ContainerRegistry": "2023-07-01",
}
_REASONS = {
    "AADSTS7000215": "its secret is another one",
    "AADSTS7000222": "its secret has expired",
    "AADSTS700016": "the tenant has no application of that client id",
    "AADSTS90002": "there is no such tenant",
}
Read = TypeVar("Read")


class Azure:
    """Raises Away when nothing can be read at all; a read that fails alone raises WorldProblem."""

    def __init__(self, settings: AzureConnection) -> None:
        if not settings.arm_subscription_id:
            raise Away(
                "No Azure subscription is connected.",
                "ARM_SUBSCRIPTION_ID is not set.",
                "Set it, and ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET, as .env.example shows; or log in with\naz login",
            )
        self.settings = settings
        self.subscription_id = settings.arm_subscription_id
        self.endpoint = (settings.arm_resource_manager_endpoint or PUBLIC_ENDPOINT).rstrip("/")
        self.scope = f"{(settings.arm_resource_manager_audience or self.endpoint).rstrip('/')}/.default"
        # A path wins over REQUESTS_CA_BUNDLE of the environment; True leaves the choice to it.
        self._connection: dict[str, Any] = {
            "connection_verify": str(settings.ca_file) if settings.ca_file else True,
            "connection_timeout": CONNECT_SECONDS_MAX,
            "read_timeout": ANSWER_SECONDS_MAX,
            "retry_total": RETRIES_MAX,
            "retry_backoff_factor": 0.2,
        }
        common = {"base_url": self.endpoint, "credential_scopes": [self.scope], **self._connection}
        self.credential = self._credential()
        self.subscriptions = SubscriptionClient(self.credential, **common)
        self.resources = ResourceManagementClient(self.credential, self.subscription_id, **common)
        self.compute = ComputeManagementClient(self.credential, self.subscription_id, **common)
        policies = [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy("berth"),
            RetryPolicy(**self._connection),
            ARMChallengeAuthenticationPolicy(self.credential, self.scope),
        ]
        self._arm: ARMPipelineClient[Any, Any] = ARMPipelineClient(self.endpoint, policies=policies, **self._connection)

    def log_in(self) -> None:
        """Gets a token, so that a wrong secret is told once and plainly."""
        self._told("a token", lambda: self.credential.get_token(self.scope))

    def token(self, scope: str) -> str:
        """For a service that is no part of Azure Resource Manager."""
        return self._told("a token", lambda: self.credential.get_token(scope).token)

    def every(self, subject: str, rows: Callable[[], Iterable[Any]]) -> list[Mapping[str, Json]]:
        """All rows of a list of one of Azure's clients, as ARM spells them."""
        return self._told(subject, lambda: [as_arm(row) for row in islice(rows(), ROWS_MAX)])

    def one(self, subject: str, read: Callable[[], Any]) -> Mapping[str, Json]:
        return self._told(subject, lambda: as_arm(read()))

    def arm(self, path: str, provider: str, body: Json = None) -> Mapping[str, Json]:
        """An ARM request by its path under the subscription: a GET, or a POST of a question that changes nothing."""
        url = f"{self.endpoint}/subscriptions/{self.subscription_id}/providers/{provider}/{path}"
        request = HttpRequest("GET" if body is None else "POST", url, params={"api-version": API_VERSIONS[provider]}, json=body)

        def read() -> Mapping[str, Json]:
            response = self._arm.send_request(request)
            response.raise_for_status()
            answer = response.json()
            return answer if isinstance(answer, dict) else {}

        return self._told(f"{provider}/{path}", read)

    def ask(
        self, subject: str, method: Literal["GET", "POST"], path: str, version: str, body: Json = None
    ) -> tuple[Mapping[str, str], Mapping[str, Json]]:
        """One ARM request by its whole path: the headers and the body of its answer."""
        request = HttpRequest(method, f"{self.endpoint}{path}", params={"api-version": version}, json=body)

        def read() -> tuple[Mapping[str, str], Mapping[str, Json]]:
            response = self._arm.send_request(request)
            response.raise_for_status()
            answer = response.json() if response.content else {}
            return response.headers, answer if isinstance(answer, dict) else {}

        return self._told(subject, read)

    def arm_rows(self, path: str, provider: str) -> list[Mapping[str, Json]]:
        answer = self.arm(path, provider)
        # Kubernetes' versions are listed under another name than everything else.
        rows = answer.get("value", answer.get("values"))
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def knows_group(self, object_id: str) -> bool | None:
        """Whether the directory has such a group; None where it may not be asked, or is away."""
        graph = self._graph()
        login = BearerTokenCredentialPolicy(self.credential, f"{graph}/.default")
        policies = [UserAgentPolicy("berth"), RetryPolicy(**self._connection), login]
        request = HttpRequest("GET", f"{graph}/v1.0/groups/{object_id}", params={"$select": "id"})

        try:
            with PipelineClient[Any, Any](graph, policies=policies, **self._connection) as client:
                status = int(client.send_request(request).status_code)
        except AzureError:
            return None
        return {HTTPStatus.OK: True, HTTPStatus.NOT_FOUND: False}.get(HTTPStatus(status))

    def _graph(self) -> str:
        """Where Microsoft Graph is: another cloud than the public one says so beside its own addresses."""
        if self.endpoint == PUBLIC_ENDPOINT:
            return PUBLIC_GRAPH
        request = HttpRequest("GET", f"{self.endpoint}/metadata/endpoints", params={"api-version": "2022-09-01"})
        told = self._told("the cloud's addresses", lambda: self._arm.send_request(request).json())
        return str(told.get("microsoftGraphResourceId") or PUBLIC_GRAPH).rstrip("/")

    def _credential(self) -> TokenCredential:
        settings = self.settings
        authority = settings.arm_active_directory_authority_host or PUBLIC_AUTHORITY
        elsewhere = authority.rstrip("/") != PUBLIC_AUTHORITY
        if not settings.arm_client_secret:
            return DefaultAzureCredential(authority=authority, **self._connection)
        return ClientSecretCredential(
            settings.arm_tenant_id,
            settings.arm_client_id,
            settings.arm_client_secret.get_secret_value(),
            authority=authority,
            # Microsoft's list of instances does not know a cloud of one's own.
            disable_instance_discovery=elsewhere,
            **self._connection,
        )

    def _told(self, subject: str, read: Callable[[], Read]) -> Read:
        try:
            return read()
        except ClientAuthenticationError as error:
            # azure-identity says of a login that is away, or not trusted, that it failed to authenticate.
            never_asked = isinstance(error.__cause__ or error.__context__, ServiceRequestError)
            raise (self._away(error) if never_asked else self._unknown(error)) from None
        except ServiceRequestError as error:
            raise self._away(error) from None
        except ServiceResponseError:
            raise WorldProblem(
                "Azure did not answer in time.",
                f"Reading {subject} took more than {ANSWER_SECONDS_MAX} s or broke off.",
                "Try again.",
                retryable=True,
            ) from None
        except HttpResponseError as error:
            raise self._refused(subject, error) from None
        except (AzureError, ValueError, TypeError, KeyError, AttributeError):
            raise WorldProblem(
                "Azure's answer cannot be read.",
                f"{self.endpoint} answered a question about {subject} with something that is not Azure Resource Manager.",
                "Check ARM_RESOURCE_MANAGER_ENDPOINT.",
            ) from None

    def _unknown(self, error: ClientAuthenticationError) -> Away:
        known = next((reason for code, reason in _REASONS.items() if f"{code}:" in str(error) or f"{code} " in str(error)), "")
        who = f"The application {self.settings.arm_client_id} " if self.settings.arm_client_id else "Whoever is logged in "
        return Away(
            "Azure refused the credentials.",
            f"{who}got no token from the tenant {self.settings.arm_tenant_id or '(none is set)'}{': ' + known if known else ''}.",
            "Check ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET. A new secret is made with\n"
            f"    az ad app credential reset --id {self.settings.arm_client_id or '<client id>'}",
        )

    def _away(self, error: AzureError) -> Away:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            by = f"the CA file {self.settings.ca_file}" if self.settings.ca_file else "the system's CAs (BERTH_CA_FILE is not set)"
            return Away(
                "Azure's certificate is not trusted.",
                f"The certificate of {self.endpoint}, or of its login, is not signed by {by}.",
                "Set BERTH_CA_FILE to the CA that signs it. Verification is never switched off.",
            )
        refused = "refuses the connection" if "Connection refused" in str(error) else "cannot be reached from here"
        return Away(
            "Azure is away.",
            f"{self.endpoint}, or its login, {refused}.",
            "Check ARM_RESOURCE_MANAGER_ENDPOINT and that this machine reaches it, then try again.",
            retryable=True,
        )

    def _refused(self, subject: str, error: HttpResponseError) -> WorldProblem:
        code = str(getattr(getattr(error, "error", None), "code", "") or "")
        status = error.status_code or 0
        if code in ("SubscriptionNotFound", "InvalidSubscriptionId"):
            return Away(
                "The subscription is not known.",
                f"{self.endpoint} has no subscription {self.subscription_id} that this login may see.",
                "Check ARM_SUBSCRIPTION_ID; `az account list` shows yours.",
            )
        if status == 401:
            return Away("Azure refused the credentials.", f"{self.endpoint} does not accept the token.", "Check ARM_TENANT_ID.")
        if status == 403:
            return WorldProblem(
                "Azure does not let us look at everything.",
                f"Reading {subject} is refused{': ' + theirs(code) if code else ''}.",
                "Grant the right to look:\n"
                f"    az role assignment create --assignee {self.settings.arm_client_id or '<client id>'} --role Reader "
                f"--scope /subscriptions/{self.subscription_id}",
            )
        return WorldProblem(
            "Azure answered with an error.",
            f"Reading {subject}: {status} {theirs(code) if code else ''}".rstrip() + ".",
            "Try again; if it stays, look at Azure's status page.",
            retryable=status in (408, 429) or status >= 500,
        )


def as_arm(row: Any) -> Mapping[str, Json]:
    """A model of a client as the JSON that ARM sent."""
    found = row.as_dict() if hasattr(row, "as_dict") else row
    return found if isinstance(found, Mapping) else {}
