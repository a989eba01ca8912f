"""Asks Azure for every resource that a part made: it is there, and Azure calls it ready; of a virtual machine also whether it runs, and its
agent answers. What runs inside is verified elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from tools.clients.azure import Azure
from tools.pipeline.context import PartContext, Say
from tools.values.trouble import WorldProblem
from tools.values.value import Json

LOOKS_MAX = 5
LOOK_SECONDS = 3.0
READY = ("", "succeeded")
"""Some kinds of resource have no provisioning state: being there is all that can be asked."""
NAMED_MAX = 5
MACHINES = "/providers/microsoft.compute/virtualmachines"
COMPUTE_VERSION = "2024-07-01"
RUNNING, READY_AGENT = "powerstate/running", "provisioningstate/succeeded"


def verify(context: PartContext, say: Say, pause: Callable[[float], None] = time.sleep) -> tuple[str, ...]:
    """A sentence for each group of resources that is there. Raises WorldProblem that names what is missing or not ready."""
    wanted = _ids(context.outputs)
    if not wanted:
        return ()
    azure = Azure(context.settings)
    azure.log_in()
    faults: list[str] = []
    for look in range(LOOKS_MAX):
        if look:
            # A list of Azure's may lag behind what was just made.
            pause(LOOK_SECONDS)
        found = _found(azure, wanted)
        faults = list(_faults(wanted, found)) or [fault for id_ in wanted if _is_machine(id_) for fault in _machine_faults(azure, id_)]
        if not faults:
            break
    if faults:
        raise WorldProblem(
            "Verifying failed.",
            " ".join(faults[:NAMED_MAX]),
            "Look at it in the portal, then say retry: it is applied and verified again.",
            retryable=True,
        )
    sentences = tuple(_sentences(wanted))
    for sentence in sentences:
        say(sentence)
    return sentences


def _is_machine(id_: str) -> bool:
    return id_.lower().rpartition("/")[0].endswith(MACHINES)


def _machine_faults(azure: Azure, id_: str) -> Iterator[str]:
    """A machine that was made may still be starting, and its agent is what runs a command in it."""
    _, view = azure.ask(f"how {_name(id_)} does", "GET", f"{id_}/instanceView", COMPUTE_VERSION)
    if RUNNING not in _codes(view):
        yield f"{_name(id_)} does not run."
    elif READY_AGENT not in _codes(view.get("vmAgent")):
        yield f"{_name(id_)} runs, and its agent does not answer."


def _codes(view: Json) -> set[str]:
    rows = view.get("statuses") if isinstance(view, Mapping) else None
    return {str(row.get("code", "")).lower() for row in rows if isinstance(row, Mapping)} if isinstance(rows, list) else set()


def _ids(outputs: Json) -> tuple[str, ...]:
    listed = outputs.get("resources", ()) if isinstance(outputs, dict) else ()
    return tuple(dict.fromkeys(str(one) for one in listed)) if isinstance(listed, list) else ()


def _found(azure: Azure, wanted: Iterable[str]) -> dict[str, str]:
    """Provisioning states by id, in small letters: Azure spells ids as it likes."""
    found: dict[str, str] = {}
    for group in dict.fromkeys(_group(id_) for id_ in wanted):
        name = group.rpartition("/")[2]
        try:
            about = azure.one(f"the group {name}", lambda name=name: azure.resources.resource_groups.get(name))  # type: ignore[misc]
        except WorldProblem as problem:
            if "404" in str(problem) or "NotFound" in str(problem):
                continue
            raise
        found[str(about.get("id", group)).lower()] = _state(about)
        rows = azure.every(
            f"the resources of {name}",
            lambda name=name: azure.resources.resources.list_by_resource_group(name, expand="provisioningState"),  # type: ignore[misc]
        )
        found |= {str(row.get("id", "")).lower(): _row_state(row) for row in rows}
    return found


def _faults(wanted: Iterable[str], found: Mapping[str, str]) -> Iterator[str]:
    for id_ in wanted:
        state = found.get(_listed(id_).lower())
        if state is None:
            yield f"{_name(id_)} is not there."
        elif state.lower() not in READY:
            yield f"{_name(id_)} is {state}."


def _sentences(wanted: Iterable[str]) -> Iterator[str]:
    for group in dict.fromkeys(_group(id_) for id_ in wanted):
        inside = [_name(id_) for id_ in wanted if _group(id_) == group and id_ != group and id_ == _listed(id_)]
        names = ", ".join(inside)
        yield f"Azure has {group.rpartition('/')[2]}" + (f", and in it, ready: {names}." if names else ".")
    if machines := [_name(id_) for id_ in wanted if _is_machine(id_)]:
        yield f"Running, and with an agent that answers: {', '.join(machines)}."


def _group(id_: str) -> str:
    return "/".join(id_.split("/")[:5])


def _listed(id_: str) -> str:
    """The resource of a list that this is, or is part of: a subnet stands in its network."""
    parts = id_.split("/")
    return "/".join(parts[:9]) if len(parts) > 9 else id_


def _name(id_: str) -> str:
    return id_.rpartition("/")[2]


def _state(row: Mapping[str, Json]) -> str:
    properties = row.get("properties")
    return str((properties.get("provisioningState") or "") if isinstance(properties, Mapping) else "")


def _row_state(row: Mapping[str, Json]) -> str:
    return str(row.get("provisioningState") or "") or _state(row)
