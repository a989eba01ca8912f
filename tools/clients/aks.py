"""Runs a line of kubectl inside an AKS cluster through Azure's run command: no way into its network is needed, and no kubectl here.

Azure starts a pod for it, which speaks to the cluster as whoever the token is for. What the line means is not known here.
"""

from __future__ import annotations

import base64
import io
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.clients.azure import Azure
from tools.values.trouble import WorldProblem

AUDIENCE = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
"""The AKS Entra server application, the same in every tenant."""
VERSION = "2025-05-01"
LOOKS_MAX = 120
LOOK_SECONDS = 2.0
STARTS_MAX = 5
START_SECONDS = 15.0
NO_NODE = "KubernetesOperationError"
"""The pod found no node in time; a node that is being started takes it a moment later."""
_SAME_TIME = (1980, 1, 1, 0, 0, 0)
Pause = Callable[[float], None]


@dataclass(frozen=True)
class Ended:
    code: int
    output: str


def run(
    azure: Azure,
    cluster_id: str,
    line: str,
    files: Mapping[str, str] | None = None,
    *,
    pause: Pause = time.sleep,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ended:
    """Its exit code and what it printed. Raises WorldProblem when Azure does not run it."""
    body = {"command": line, "context": _packed(files or {}), "clusterToken": azure.token(AUDIENCE)}
    headers: Mapping[str, str] = {}
    for start in range(STARTS_MAX):
        try:
            headers, _ = azure.ask("a command in the cluster", "POST", f"{cluster_id}/runCommand", VERSION, body)
            break
        except WorldProblem as problem:
            if NO_NODE not in problem.detail or cancelled():
                raise
            if start + 1 == STARTS_MAX:
                raise WorldProblem(
                    "The cluster took no command.",
                    f"Azure's run command found no node for its pod, {STARTS_MAX} times.",
                    "See in the portal that a node of the pool `drivers` runs, then say retry.",
                    retryable=True,
                ) from None
        pause(START_SECONDS)
    return _result(azure, headers, pause, cancelled)


def _result(azure: Azure, headers: Mapping[str, str], pause: Pause, cancelled: Callable[[], bool]) -> Ended:
    at = next((value for name, value in headers.items() if name.lower() == "location"), "")
    # Only the path: a token goes to the endpoint that was set, and to no other that an answer names.
    path = "/" + at.partition("://")[2].partition("/")[2].partition("?")[0]
    for look in range(LOOKS_MAX):
        if look:
            pause(LOOK_SECONDS)
        if cancelled():
            break
        _, answer = azure.ask("a command in the cluster", "GET", path, VERSION)
        told = answer.get("properties")
        if isinstance(told, dict) and told.get("provisioningState") in ("Succeeded", "Failed"):
            return Ended(int(told.get("exitCode") or 0), str(told.get("logs") or told.get("reason") or "").strip())
    raise WorldProblem(
        "A command in the cluster has not ended.",
        f"Azure was asked {LOOKS_MAX} times.",
        "Say retry: what is done already is not done again.",
        retryable=True,
    )


def _packed(files: Mapping[str, str]) -> str:
    """A zip file as text; the same files are the same text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _SAME_TIME), text)
    return base64.b64encode(packed.getvalue()).decode() if files else ""
