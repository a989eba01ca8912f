"""Every resource type the simulated Azure has, family by family, and the addresses providers have beside their resources."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cluster_sim.azure.addresses import GROUP_TYPE
from cluster_sim.azure.families import (
    authorization,
    cognitive,
    compute,
    costs,
    databricks,
    datafactory,
    eventhub,
    identity,
    keyvault,
    kubernetes,
    monitor,
    network,
    node_pools,
    observing,
    postgresql,
    private_link,
    registry,
    run_command,
    storage,
    virtual_machines,
)
from cluster_sim.azure.kinds import Kind, NameRule, by_key

_GROUP_NAME = NameRule(
    r"[\w.()-]{0,89}[\w()-]",
    "InvalidResourceGroup",
    "The provided resource group name '{name}' has these invalid characters or is too long, or ends with a period. "
    "The name can only be a letter, digit, '-', '.', '(', ')' or '_', and at most 90 characters.",
)

GROUP = Kind(GROUP_TYPE, located=False, created=201, slow=False, slow_delete=True, name=_GROUP_NAME)

_FAMILIES = (
    network,
    private_link,
    storage,
    keyvault,
    identity,
    authorization,
    monitor,
    observing,
    kubernetes,
    node_pools,
    registry,
    run_command,
    databricks,
    cognitive,
    datafactory,
    eventhub,
    compute,
    virtual_machines,
    costs,
    postgresql,
)

KINDS: dict[str, Kind] = by_key(GROUP, *(kind for family in _FAMILIES for kind in family.KINDS))

LOCATION_ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
    (
        method,
        re.compile(
            pattern.replace("{subscription}", r"/subscriptions/(?P<subscription>[^/]+)").replace(
                "{location}", r"locations/(?P<location>[^/]+)"
            ),
            re.IGNORECASE,
        ),
        handler,
    )
    for family in _FAMILIES
    for method, pattern, handler in getattr(family, "ROUTES", ())
]
