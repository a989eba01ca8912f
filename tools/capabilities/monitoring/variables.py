"""Part → variables of the playbook. How the role uses them is in ansible/roles/monitoring."""

from __future__ import annotations

import re

from tools.capabilities.monitoring import sizes
from tools.values.manifest import Part
from tools.values.site import REFERENCE
from tools.values.value import Json


def variables(part: Part) -> dict[str, Json]:
    """What is the operator's own (the cluster's address, the token) is named here, and filled in when the machine is configured."""
    needs = part.needs
    token = needs.text("proxmox_token")
    return {
        "monitoring_retention_days": needs.whole("retention"),
        "monitoring_data_max_mib": sizes.data_max_mib(part.machines[0].disk_gib),
        "monitoring_alert_webhook": _as_told(needs.text("alert_webhook")),
        "monitoring_proxmox_url": {"setting": "proxmox_endpoint"} if token else "",
        "monitoring_proxmox_ca": {"setting": "ca_file"} if token else "",
        "monitoring_proxmox_token": _as_told(token),
        "monitoring_grafana_source": needs.text("grafana_source"),
        "monitoring_grafana_key": needs.text("grafana_key"),
    }


def _as_told(text: str) -> Json:
    """Itself, or the place where it stands."""
    return {"reference": text} if re.fullmatch(REFERENCE, text) else text
