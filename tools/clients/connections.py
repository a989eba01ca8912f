"""What of the settings is needed to read a world. Importing it loads no client."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import SecretStr


class ProxmoxConnection(Protocol):
    """The settings that are needed to read a cluster."""

    @property
    def proxmox_endpoint(self) -> str: ...
    @property
    def proxmox_api_token(self) -> SecretStr: ...
    @property
    def proxmox_scan_token(self) -> SecretStr: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def prometheus_url(self) -> str: ...


class AzureConnection(Protocol):
    """The settings that are needed to read a subscription."""

    @property
    def ca_file(self) -> Path | None: ...
    @property
    def arm_subscription_id(self) -> str: ...
    @property
    def arm_tenant_id(self) -> str: ...
    @property
    def arm_client_id(self) -> str: ...
    @property
    def arm_client_secret(self) -> SecretStr: ...
    @property
    def arm_resource_manager_endpoint(self) -> str: ...
    @property
    def arm_active_directory_authority_host(self) -> str: ...
    @property
    def arm_resource_manager_audience(self) -> str: ...
