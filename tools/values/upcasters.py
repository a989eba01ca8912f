"""How a stored value of an older shape becomes one of the next: functions on JSON, by kind. They know what the shapes were, not what the
values mean, so they import no value. What makes use of them is tools.values.shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Final

from tools.values.value import Json, canonical, sha256

Upcaster = Callable[[dict[str, Json]], dict[str, Json]]

ON_PROXMOX: Final = ("postgresql", "web_server", "virtual_machine", "dev_environment")
"""The capabilities of Berth 0.1 that made machines. All others were in Azure."""
AZURE_NAMES: Final = {
    "resource_group_name": "resource_group",
    "managed_resource_group_name": "managed_resource_group",
    "workspace_name": "databricks",
    "account_name": "openai",
    "security_group_name": "nsg",
    "security_group": "nsg",
    "virtual_network": "network",
    "log_workspace": "logs",
}
"""What a variable of a module was called → the kind that is named, by which all modules call it now."""
MADE_ANEW: Final = ("snapshots", "offer", "proposal", "manifest", "review", "rounds", "tried")
"""What a conversation held that is made again when it goes on."""


def _manifest_2(said: dict[str, Json]) -> dict[str, Json]:
    """Parts are keyed by their item's label; machines, names in a cloud, what exists and what would save are fields of their own."""
    return said | {"parts": [_part_2(part) for part in said["parts"]]}


def _part_2(part: dict[str, Json]) -> dict[str, Json]:
    label, platform = part.pop("name"), part.pop("target")
    variables, facts = part.pop("variables") or {}, part.pop("facts", None) or {}
    ids = [str(one) for one in (*facts.pop("owned_vm_ids", ()), *facts.pop("owned_resource_ids", ()))]
    typed = {
        "label": label,
        "platform": platform,
        "needs": _needs_2(part["needs"], label),
        "machines": variables.pop("machines", []),
        "owned": ids,
        "rests_on": [[what, _seen_2(seen)] for what, seen in facts.pop("built_on", {}).items()],
        "savings": facts.pop("savings", []),
        "facts": [[name, value] for name, value in facts.items() if isinstance(value, bool | int | float | str)],
    }
    cloud = {"cloud": _cloud_2(variables)} if platform == "azure" else {}
    return part | typed | cloud | {"variables": variables}


def _cloud_2(variables: dict[str, Json]) -> dict[str, Json]:
    """Where the part lies and what it calls things, taken out of its variables."""
    cloud = {
        "subscription_id": variables.pop("subscription_id"),
        "region": variables.pop("location"),
        "tags": list(variables.pop("tags", {}).items()),
    }
    flat = {name: variables.pop(name) for name in AZURE_NAMES if name in variables}
    names = {AZURE_NAMES.get(name, name): value for name, value in (flat | variables.pop("names", {})).items()}
    if "make_security_group" in variables:
        if variables.pop("make_security_group"):
            variables["security_group_id"] = ""
        else:
            group = f"/subscriptions/{cloud['subscription_id']}/resourceGroups/{names.pop('resource_group')}"
            variables["security_group_id"] = f"{group}/providers/Microsoft.Network/networkSecurityGroups/{names.pop('nsg')}"
    return cloud | {"names": list(names.items())}


def _seen_2(seen: Mapping[str, Json]) -> list[list[Json]]:
    """Of a template, the storages come last, as one text."""
    plain = [[name, value] for name, value in seen.items() if name != "storages"]
    return [*plain, ["storages", ", ".join(seen["storages"])]] if "storages" in seen else plain


def _needs_2(needs: dict[str, Json], label: str) -> dict[str, Json]:
    platform = "proxmox" if needs["capability"] in ON_PROXMOX else "azure"
    return needs | {"label": label, "platform": platform}


def _labels(capabilities: Iterable[str]) -> list[str]:
    """As an item is called that has no name: `web_server`, `web_server-2`."""
    found: list[str] = []
    for name in capabilities:
        found.append(next(one for number in count(1) if (one := f"{name}-{number}" if number > 1 else name) not in found))
    return found


def _requirements_2(said: dict[str, Json]) -> dict[str, Json]:
    labels = _labels(needs["capability"] for needs in said["parts"])
    return said | {"parts": [_needs_2(needs, label) for needs, label in zip(said["parts"], labels, strict=True)]}


def _labelled_parts(said: dict[str, Json]) -> dict[str, Json]:
    """Of a plan and a receipt: its parts are keyed by their item's label."""
    return said | {"parts": [{"label": part.pop("name"), **part} for part in said["parts"]]}


def _review_2(said: dict[str, Json]) -> dict[str, Json]:
    """A finding is a kind with data; one that was written with its words keeps them."""
    return said | {"findings": [_finding_2(one) for one in said.get("findings", ())]}


def _finding_2(one: dict[str, Json]) -> dict[str, Json]:
    words = [[name, one.pop(name)] for name in ("detail", "remedy")]
    return one | {"kind": "text", "data": words}


def _conversation_2(said: dict[str, Json]) -> dict[str, Json]:
    """What was heard and required stays. The rest of a draft is made again, and what it had reserved stays its own."""
    kept = {name: value for name, value in said.items() if name not in MADE_ANEW}
    if said.get("requirements"):
        kept["requirements"] = _requirements_2(said["requirements"])
    if said.get("manifest"):
        kept["parent_digest"] = sha256(canonical(said["manifest"]))
    return kept


def _conversation_3(said: dict[str, Json]) -> dict[str, Json]:
    """How many use a database or a web server at once is the fact `users`, as it is of every application."""
    for heard in (said.get(name) or {} for name in ("heard", "heard_built")):
        for fact in (fact for ask in heard.get("asks", ()) for fact in ask.get("facts", ())):
            fact["name"] = "users" if fact["name"] == "concurrent_users" else fact["name"]
    return said | {"asked": [[item, "users" if fact == "concurrent_users" else fact] for item, fact in said.get("asked", ())]}


def _conversation_4(said: dict[str, Json]) -> dict[str, Json]:
    """What was heard is a request of items, each with a label."""
    heard, built = said.pop("heard", None), said.pop("heard_built", None)
    said["request"] = _request_of(heard) if heard else {}
    said["request_built"] = _request_of(built) if built else None
    labels = {item["capability"]: item["label"] for item in reversed(said["request"].get("items", []))}
    return said | {"asked": [[labels.get(capability, capability), fact] for capability, fact in said.get("asked", ())]}


def _request_of(heard: Mapping[str, Json]) -> dict[str, Json]:
    """An item that had no label was called as its capability, and numbered when there were several."""
    asks = heard.get("asks", ())
    taken = {ask["label"] for ask in asks if ask.get("label")}
    items = []
    for ask in asks:
        spellings = (f"{ask['capability']}-{number}" if number > 1 else ask["capability"] for number in count(1))
        label = ask.get("label") or next(one for one in spellings if one not in taken)
        taken.add(label)
        items.append({"capability": ask["capability"], "label": label, "facts": ask.get("facts", [])})
    return {"items": items}


def _conversation_5(said: dict[str, Json]) -> dict[str, Json]:
    required = said.get("requirements")
    return said | {"requirements": required and required | {"parts": [_with_models(needs) for needs in required["parts"]]}}


def _manifest_3(said: dict[str, Json]) -> dict[str, Json]:
    return said | {"parts": [part | {"needs": _with_models(part["needs"])} for part in said["parts"]]}


def _with_models(needs: dict[str, Json]) -> dict[str, Json]:
    """An account of Azure OpenAI has several models: what was the field `model` is one of `models`."""
    fields = [
        one | {"name": "models", "value": [one["value"]]} if (needs["capability"], one["name"]) == ("azure_openai", "model") else one
        for one in needs.get("fields", ())
    ]
    return needs | {"fields": fields}


def _with_partitions(said: dict[str, Json]) -> dict[str, Json]:
    """What an application on a machine watches, `replicas`, is `partition_replicas`: `replicas: 3` of a machine are three machines."""
    for one in _dicts(said):
        if one.get("capability") == "virtual_machine":
            for fact in (*one.get("facts", ()), *one.get("fields", ())):
                if isinstance(fact, dict) and fact.get("name") == "replicas":
                    fact["name"] = "partition_replicas"
    return said


def _dicts(value: Json) -> Iterator[dict[str, Json]]:
    """It and all in it, at any depth."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _dicts(inner)


UPCASTERS: Final[Mapping[str, tuple[Upcaster, ...]]] = {
    "conversation": (_conversation_2, _conversation_3, _conversation_4, _conversation_5, _with_partitions),
    "manifest": (_manifest_2, _manifest_3, _with_partitions),
    "plan": (_labelled_parts,),
    "receipt": (_labelled_parts,),
    "requirements": (_requirements_2,),
    "review": (_review_2,),
}
"""Kind → what makes each shape into the next, the first one first. Each is handed a dict of its own."""
