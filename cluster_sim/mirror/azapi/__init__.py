"""The stand-in for Azure/azapi: its configuration and its table of contents."""

from __future__ import annotations

import os
import ssl
import uuid
from collections.abc import Callable
from pathlib import Path

from cluster_sim.mirror.azapi import schema, sources
from cluster_sim.mirror.azapi.arm import Account, Arm
from cluster_sim.mirror.azapi.resource import Action, Behaviour, GenericResource, PartialResource
from cluster_sim.mirror.provider import Problem, Provider
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.web import system_trust

_NOT_SIMULATED = (
    "default_location",
    "default_name",
    "default_tags",
    "enable_preflight",
    "use_msi",
    "use_aks_workload_identity",
    "client_certificate",
)


class Azapi(Provider):
    """Like the released provider it logs in when the first resource needs it."""

    def __init__(self, trust: Callable[[], ssl.SSLContext]) -> None:
        super().__init__(
            schema.CONFIGURATION,
            {
                name: kind(lambda: self.arm, lambda: self._behaviour)
                for name, kind in (
                    ("azapi_resource", GenericResource),
                    ("azapi_update_resource", PartialResource),
                    ("azapi_resource_action", Action),
                )
            },
            {
                "azapi_client_config": sources.ClientConfig(lambda: self.arm),
                "azapi_resource": sources.ResourceSource(lambda: self.arm),
                "azapi_resource_action": sources.ActionSource(lambda: self.arm),
                "azapi_resource_id": sources.ResourceId(lambda: self.arm),
                "azapi_resource_list": sources.ResourceList(lambda: self.arm),
            },
        )
        self._trust = trust
        self._arm: Arm | None = None
        self._behaviour = Behaviour()

    @property
    def arm(self) -> Arm:
        if self._arm is None:
            raise Problem("The provider is not configured: Terraform did not say which subscription.")
        return self._arm

    def configure(self, config: Values) -> None:
        for name in _NOT_SIMULATED:
            if config[name]:
                raise Problem(f"The stand-in provider does not simulate `{name}`.", "Remove it from the provider block.")
        endpoint = (config["endpoint"] or [{}])[0]
        resource_manager = endpoint.get("resource_manager_endpoint") or os.environ.get("ARM_RESOURCE_MANAGER_ENDPOINT", "")
        if not resource_manager:
            raise Problem(
                "No Resource Manager endpoint is set, which would mean the public Azure; this stand-in provider works on "
                "simulated worlds only.",
                "Set endpoint in the provider block, or ARM_RESOURCE_MANAGER_ENDPOINT.",
            )
        authority = endpoint.get("active_directory_authority_host") or os.environ.get("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "")
        audience = endpoint.get("resource_manager_audience") or os.environ.get("ARM_RESOURCE_MANAGER_AUDIENCE", "")
        account = Account(
            tenant_id=_setting(config, "tenant_id", "ARM_TENANT_ID"),
            subscription_id=_setting(config, "subscription_id", "ARM_SUBSCRIPTION_ID"),
            client_id=_setting(config, "client_id", "ARM_CLIENT_ID", file="client_id_file_path"),
            client_secret=_setting(config, "client_secret", "ARM_CLIENT_SECRET", file="client_secret_file_path"),
            assertion=_setting(config, "oidc_token", "ARM_OIDC_TOKEN", file="oidc_token_file_path") if _uses_oidc(config) else "",
            resource_manager=resource_manager,
            authority=authority or resource_manager,
            audience=audience or resource_manager,
        )
        missing = [
            variable
            for variable, value in (
                ("ARM_TENANT_ID", account.tenant_id),
                ("ARM_SUBSCRIPTION_ID", account.subscription_id),
                ("ARM_CLIENT_ID", account.client_id),
                ("ARM_CLIENT_SECRET", account.client_secret or account.assertion),
            )
            if not value
        ]
        if missing:
            raise Problem(
                f"The login to Azure is incomplete: {', '.join(missing)} is not set.",
                "Set it in the environment or the provider block.",
            )
        tls = self._trust()
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        correlation = "" if config["disable_correlation_request_id"] else config["custom_correlation_request_id"] or str(uuid.uuid4())
        self._arm = Arm(account, tls, self.stopping, correlation)
        self._behaviour = Behaviour(default_output=not config["disable_default_output"])


def _uses_oidc(config: Values) -> bool:
    return bool(config["use_oidc"]) or os.environ.get("ARM_USE_OIDC", "").lower() in ("1", "true")


def _setting(config: Values, name: str, variable: str, *, file: str = "") -> str:
    if config[name] or os.environ.get(variable):
        return str(config[name] or os.environ[variable])
    path = (config.get(file) or os.environ.get(f"{variable}_FILE_PATH", "")) if file else ""
    return Path(path).read_text().strip() if path else ""


def make_provider() -> Provider:
    return Azapi(system_trust)
