"""Part → variables of the playbook. How the roles use them is in ansible/roles/k3s and ansible/roles/keepalived."""

from __future__ import annotations

from tools.capabilities.k3s_cluster.add_ons import manifest, packages_of
from tools.capabilities.k3s_cluster.facts import API_ADDRESS, SERVERS
from tools.values.machine import without_prefix
from tools.values.manifest import Endpoint, Part
from tools.values.value import Json

API_PORT = 6443
KEPT_AS = "k3s_token"
"""The secret of the run that nodes join with."""


def variables(part: Part) -> dict[str, Json]:
    needs = part.needs
    charts = needs.strings("charts")
    return {
        "base_packages": packages_of(charts),
        "k3s_version": needs.text("release"),
        "k3s_url": needs.text("release_url"),
        "k3s_sha256": needs.text("release_sha256"),
        "k3s_token": {"secret": KEPT_AS},
        "k3s_api_address": api_address(part),
        "k3s_disable": disabled(part),
        "k3s_manifests": [manifest(name, _values(part, name)) for name in charts],
        "k3s_kubeconfig": kubeconfig(part),
        "keepalived_address": part.virtual_address(API_ADDRESS),
    }


def kubeconfig(part: Part) -> str:
    """The file's name under `secrets/` of the run."""
    return f"kubeconfig-{part.label}"


def api_address(part: Part) -> str:
    """Without its prefix; empty where it is the one server's own."""
    return without_prefix(part.virtual_address(API_ADDRESS))


def endpoints(part: Part) -> tuple[Endpoint, ...]:
    """Its API, where the servers share an address there, else at its one server. What opens it is the run's kubeconfig, which no machine is
    told."""
    address = api_address(part)
    return (Endpoint(protocol="https", port=API_PORT, machines=() if address else (first_server(part),), address=address),)


def disabled(part: Part) -> list[str]:
    """Of what comes with k3s. Longhorn's class of volumes takes the place of the other as the one that is used unless another is named."""
    off = {"traefik": part.needs.text("ingress") == "none", "local-storage": part.needs.text("volumes") in ("none", "longhorn")}
    return [name for name, is_off in off.items() if is_off]


def first_server(part: Part) -> str:
    return part.of_group(SERVERS.name)[0].name


def _values(part: Part, name: str) -> dict[str, Json]:
    if name == "rancher":
        return {"hostname": part.needs.text("rancher_name"), "replicas": len(part.of_group(SERVERS.name))}
    return {}
