"""Looks up, with the token that will be used, whether it may do what a plan needs. What that is stands in the plan's parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pydantic import SecretStr

from tools.clients.settings import Settings
from tools.clients.together import Away, together
from tools.rules.machines import rights
from tools.rules.machines.rights import Rights
from tools.values.manifest import Part
from tools.values.trouble import RequestProblem, WorldProblem


def assert_rights(settings: Settings, parts: Iterable[Part]) -> None:
    """Raises RequestProblem that names every right that is lacking, and the lines that grant them."""
    needed = all_of(part.rights for part in parts)
    if not needed:
        return
    token_id, missing = look_up(settings, needed)
    if missing:
        raise RequestProblem(
            "The token may not do what this plan needs.",
            f"{token_id} lacks {rights.spelled(missing)}. Nothing was changed.",
            f"Grant it, on a node as root, and ask again:\n{rights.lines(token_id, missing, needed)}",
        )


def look_up(settings: Settings, needed: Rights) -> tuple[str, Rights]:
    """(the token that makes, what of these it lacks). Raises Away when it is refused or the cluster cannot be read."""
    from tools.clients.proxmox import Proxmox  # Only here, so that a first prompt does not wait for proxmoxer to load.

    cluster = Proxmox(settings.model_copy(update={"proxmox_scan_token": SecretStr("")}))
    answers = together({path: partial(cluster.read, "access", "permissions", path=path) for path, _ in needed})
    held: dict[str, frozenset[str]] = {}
    for path, answer in answers.items():
        if isinstance(answer, Away):
            raise answer
        if not isinstance(answer, WorldProblem) and isinstance(answer, dict):
            found = answer.get(path)
            held[path] = frozenset(name for name in found) if isinstance(found, dict) else frozenset()
    return cluster.token_id, rights.lacking(needed, held)


def all_of(several: Iterable[Rights]) -> Rights:
    found: dict[str, set[str]] = {}
    for one in several:
        for path, privileges in one:
            found.setdefault(path, set()).update(privileges)
    return tuple((path, tuple(sorted(privileges))) for path, privileges in sorted(found.items()))
