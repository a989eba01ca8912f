"""The stand-in for bpg/proxmox: its configuration and its table of contents."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable

from cluster_sim.mirror.provider import Problem, Provider
from cluster_sim.mirror.proxmox import around, files, firewall, schema, sdn
from cluster_sim.mirror.proxmox.api import TLS, Api
from cluster_sim.mirror.proxmox.virtual_machine import VirtualMachine
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.web import system_trust


class Proxmox(Provider):
    """Like the released provider it makes no call when it is configured; the first resource does."""

    def __init__(self, trust: Callable[[], ssl.SSLContext]) -> None:
        super().__init__(
            schema.CONFIGURATION,
            {
                "proxmox_virtual_environment_vm": VirtualMachine(lambda: self.api),
                "proxmox_virtual_environment_pool": around.Pool(lambda: self.api),
                "proxmox_pool_membership": around.PoolMembership(lambda: self.api),
                "proxmox_hagroup": around.HaGroup(lambda: self.api),
                "proxmox_haresource": around.HaResource(lambda: self.api),
                "proxmox_harule": around.HaRule(lambda: self.api),
                "proxmox_download_file": files.DownloadFile(lambda: self.api),
                "proxmox_sdn_zone_vlan": sdn.ZoneVlan(lambda: self.api),
                "proxmox_sdn_zone_simple": sdn.ZoneSimple(lambda: self.api),
                "proxmox_sdn_vnet": sdn.Vnet(lambda: self.api),
                "proxmox_sdn_subnet": sdn.Subnet(lambda: self.api),
                "proxmox_virtual_environment_firewall_options": firewall.Options(lambda: self.api),
                "proxmox_virtual_environment_firewall_rules": firewall.Rules(lambda: self.api),
                "proxmox_sdn_applier": sdn.Applier(lambda: self.api),
            },
        )
        self._trust = trust
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        if self._api is None:
            raise Problem("The provider is not configured: Terraform did not say which cluster.")
        return self._api

    def configure(self, config: Values) -> None:
        endpoint = config["endpoint"] or os.environ.get("PROXMOX_VE_ENDPOINT", "")
        token = config["api_token"] or os.environ.get("PROXMOX_VE_API_TOKEN", "")
        if not endpoint:
            raise Problem("The cluster's address is not set.", "Set endpoint in the provider block, or PROXMOX_VE_ENDPOINT.")
        if config["insecure"] or os.environ.get("PROXMOX_VE_INSECURE", "").lower() in ("1", "true"):
            raise Problem("The stand-in provider always verifies certificates.", "Remove insecure, and set SSL_CERT_FILE to the CA file.")
        minimum = config["min_tls"] or os.environ.get("PROXMOX_VE_MIN_TLS", "")
        if minimum not in TLS:
            raise Problem(f"min_tls must be 1.3 or 1.2, but it is {minimum!r}.")
        tls = self._trust()
        tls.minimum_version = TLS[minimum]
        self._api = Api(endpoint, token, tls, self.stopping)


def make_provider() -> Provider:
    return Proxmox(system_trust)
