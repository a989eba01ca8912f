"""What a Terraform plan would change, and whether it may: read from `terraform show -json` alone. Nothing here starts Terraform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tools.values.plan import Change
from tools.values.trouble import RequestProblem
from tools.values.value import Json, Value

DETAILS_MAX = 12
VALUE_LENGTH_MAX = 60


def never(kind: str, before: Json, after: Json) -> bool:
    return False


@dataclass(frozen=True)
class Provider:
    """What a platform's Terraform provider does, as far as a plan has to know it."""

    source: str
    """`bpg/proxmox`, in small letters."""
    kinds: str
    """The beginning of its resource types."""
    versions: tuple[str, str] = ("0.0.0", "999.0.0")
    """From the first, below the second, as the modules ask for it."""
    restarts: Callable[[str, Json, Json], bool] = never
    """Whether a change of (type, before, after) shuts a running machine down and starts it again."""
    starts: str = ""
    """The detail of a change that switches on again what is off."""
    acts: tuple[str, ...] = ()
    """Beginnings of addresses of what is no thing but an act: being made is all it does, and it is made anew to do it again."""
    remade: tuple[str, ...] = ()
    """Beginnings of addresses of what is set anew with the thing that it is of: made anew, it is changed and nothing is lost."""
    called: tuple[tuple[str, str], ...] = ()
    """(resource type, the attribute that says what it is called), where that is not its name."""


def serves(provider: Provider, version: str) -> bool:
    """`0.111.1+sim` is as good as 0.111.1."""

    def parts(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.partition("+")[0].partition("-")[0].split("."))

    return parts(provider.versions[0]) <= parts(version) < parts(provider.versions[1])


class Allowed(Value):
    """What a plan of ours may hold. A plan with anything else is refused, whoever approves it."""

    kinds: tuple[str, ...] = ("terraform_data",)
    """Beginnings of resource types, besides those of the platform's own provider."""
    providers: tuple[str, ...] = ("builtin/terraform",)
    provisioners: bool = False
    changes_max: int = 200


Kind = Literal["create", "change", "remove"]


def changes(plan_json: Json, provider: Provider) -> tuple[Change, ...]:
    """Every change, removals first: they are what a person must not miss."""
    found = [c for c in (_change(one, provider) for one in plan_json.get("resource_changes", [])) if c is not None]
    order = ("delete", "replace", "update", "create")
    return tuple(sorted(found, key=lambda c: (order.index(c.action), c.address)))


def counted(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those that are a thing of its own to whoever reads how many: a machine that is made with its firewall is one."""
    things = tuple(change for change in changes if not change.act)
    named = {(change.action, change.name) for change in things}
    return tuple(one for one in things if " of " not in one.name or (one.action, one.name.rpartition(" of ")[2]) not in named)


def half_made(plan_json: Json, provider: Provider) -> frozenset[str]:
    """Addresses of what a platform took on and then did not finish: Terraform keeps it as tainted, and replaces it."""
    return frozenset(
        str(one["address"])
        for one in plan_json.get("resource_changes", [])
        if one.get("action_reason") == "replace_because_tainted" and str(one.get("type", "")).startswith(provider.kinds)
    )


def assert_allowed(plan_json: Json, kind: Kind, allowed: Allowed, provider: Provider, besides: Iterable[tuple[str, str]] = ()) -> None:
    """Raises RequestProblem that names everything the plan holds and may not. `besides`: (action, address) that it may hold all the
    same."""
    found = changes(plan_json, provider)
    allowed = allowed.model_copy(update={"kinds": (*allowed.kinds, provider.kinds), "providers": (*allowed.providers, provider.source)})
    faults = [
        *_wrong_actions(found, kind, frozenset(besides)),
        *_wrong_kinds(plan_json, allowed),
        *_wrong_configuration(plan_json.get("configuration", {}), allowed),
    ]
    if len(found) > allowed.changes_max:
        faults.append(f"it changes {len(found)} things at once, more than {allowed.changes_max}")
    if plan_json.get("errored"):
        faults.append("Terraform marked it as failed")
    if faults:
        raise RequestProblem(
            "The plan is refused.",
            f"It holds what was not asked for: {'; '.join(faults)}.",
            "Nothing was done. Look at tfplan.json in the run folder, then ask again.",
        )


def covers(approved: Iterable[Change], wanted: Iterable[Change], made_anew: Iterable[str] = (), starts: str = "") -> bool:
    """Everything still wanted was approved. Used when a run that stopped or died is taken up again: what is done already drops out of the
    new plan; what is new in it needs an approval of its own."""
    known = {change.address: change for change in approved}
    anew = frozenset(made_anew)
    return all(change.address in known and _covers_one(known[change.address], change, anew, starts) for change in wanted)


def _covers_one(approved: Change, wanted: Change, made_anew: frozenset[str], starts: str) -> bool:
    if (approved.action, approved.details) == (wanted.action, wanted.details):
        return True
    if approved.action == "create":
        # Whoever approved that a thing is made has approved that it is made whole: what was not finished is replaced, or finished.
        return wanted.action == "update" or (wanted.action == "replace" and wanted.address in made_anew)
    if (approved.action, wanted.action) != ("update", "update") or len(wanted.details) >= DETAILS_MAX:
        return False  # Of so many details not all are kept.
    # What the plan switches off for a change is switched on again, also when the change came to nothing in between.
    left = {*approved.details, *((starts,) if approved.restarts else ())}
    return left.issuperset(wanted.details)


def beyond(approved_json: Json, wanted_json: Json) -> tuple[str, ...]:
    """(address and field) of every value that a plan would set and that an approved one did not: `machine["db-01"]: memory.dedicated`.
    What was not known when it was approved may be anything; of an update, what it leaves as it is counts for nothing."""
    approved = {str(one["address"]): one.get("change", {}) for one in approved_json.get("resource_changes", [])}
    found: list[str] = []
    for one in wanted_json.get("resource_changes", []):
        address, change = str(one["address"]), one.get("change", {})
        actions = tuple(change.get("actions", ()))
        if one.get("mode") == "data" or not {"create", "update"}.intersection(actions):
            continue
        known = approved.get(address)
        if known is None or known.get("after") is None:
            found.append(address)
            continue
        before = dict(_leaves("", change.get("before"))) if actions == ("update",) else {}
        old, new = (dict(_leaves("", side.get("after"))) for side in (known, change))
        open_then = _flagged(known.get("after_unknown"))
        open_lists = dict(_leaves("", known.get("after_unknown")))
        open_now = _flagged(change.get("after_unknown"))
        # An update of what was approved sets nothing that is not known yet: the provider finds it out anew.
        open_then |= open_now if actions == ("update",) else set()
        for path in sorted(old.keys() | new.keys() | open_now):
            same = path not in open_now and old.get(path) == new.get(path)
            left = actions == ("update",) and path not in open_now and before.get(path) == new.get(path)
            opened = _within(path, open_then) or _is_hollow(path, old.get(path), open_then)
            if not same and not left and not opened and not _fills(old.get(path), open_lists.get(path), new.get(path)):
                found.append(f"{address}: {path}")
    return tuple(found)


def _wrong_actions(found: tuple[Change, ...], kind: Kind, besides: frozenset[tuple[str, str]]) -> Iterator[str]:
    right = {"create": ("create",), "change": ("create", "update"), "remove": ("delete",)}[kind]
    for change in found:
        if change.action not in right and (change.action, change.address) not in besides:
            yield f"{change.action} {change.address}"


def _wrong_kinds(plan_json: Json, allowed: Allowed) -> Iterator[str]:
    for one in plan_json.get("resource_changes", []):
        if not str(one.get("type", "")).startswith(allowed.kinds):
            yield f"a resource of type {one.get('type')}"
        if one.get("module_address"):
            yield f"a module {one['module_address']}"


def _wrong_configuration(configuration: Json, allowed: Allowed) -> Iterator[str]:
    for one in configuration.get("provider_config", {}).values():
        name = "/".join(str(one.get("full_name", "")).split("/")[-2:]).lower()
        if name not in allowed.providers:
            yield f"the provider {one.get('full_name')}"
    root = configuration.get("root_module", {})
    if root.get("module_calls"):
        yield "a module from elsewhere"
    for resource in root.get("resources", []):
        if resource.get("mode") == "data" and not str(resource.get("type", "")).startswith(allowed.kinds):
            yield f"a data source of type {resource.get('type')}"
        if resource.get("provisioners") and not allowed.provisioners:
            yield f"a provisioner in {resource.get('address')}"


def _change(one: Json, provider: Provider) -> Change | None:
    change = one.get("change", {})
    actions = tuple(change.get("actions", ()))
    action: Literal["create", "update", "replace", "delete"]
    if one.get("mode") == "data" or actions in (("no-op",), ("read",), ()):
        return None
    if "delete" in actions and "create" in actions:
        action = "update" if str(one["address"]).startswith((*provider.acts, *provider.remade)) else "replace"
    elif actions == ("create",):
        action = "create"
    elif actions == ("update",):
        action = "update"
    else:
        action = "delete"
    before, after = change.get("before"), change.get("after")
    details = tuple(_differences(before, after, change))[:DETAILS_MAX] if action in ("update", "replace") else ()
    restarts = action == "update" and provider.restarts(str(one.get("type", "")), before, after)
    kind = str(one.get("type", ""))
    name = _name(one, after if after is not None else before, dict(provider.called).get(kind, "name"))
    act = str(one["address"]).startswith(provider.acts)
    return Change(address=one["address"], action=action, name=name, details=details, restarts=restarts, act=act)


def _name(one: Json, values: Json, attribute: str) -> str:
    named = values.get(attribute) if isinstance(values, dict) else None
    return str(named or one.get("index") or one.get("name"))


def _differences(before: Json, after: Json, change: Json) -> Iterator[str]:
    old = dict(_leaves("", before))
    new = dict(_leaves("", after))
    unknown = _flagged(change.get("after_unknown"))
    secret = _flagged(change.get("after_sensitive"))
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) == new.get(path) or _within(path, unknown):
            continue
        if _within(path, secret):
            yield f"{path} (secret)"
        else:
            yield f"{path} {_spoken(old.get(path))} → {_spoken(new.get(path))}"


def _flagged(marks: Json) -> set[str]:
    return {path for path, flag in _leaves("", marks) if flag is True}


def _within(path: str, places: set[str]) -> bool:
    """The path is one of the places, or lies inside one: Terraform marks a whole block by a single flag."""
    return any(path == place or path.startswith(f"{place}.") for place in places)


def _is_hollow(path: str, old: Json, open_then: set[str]) -> bool:
    """An object of which nothing was known yet; what is in it now has places of its own."""
    return old == {} and any(place.startswith(f"{path}.") for place in open_then)


def _fills(old: Json, open_then: Json, new: Json) -> bool:
    """A plain list of which Terraform marks each element: what was not known is, and the rest is as it was."""
    if not isinstance(open_then, list) or not isinstance(new, list) or len(new) != len(open_then):
        return False
    before = old if isinstance(old, list) and len(old) == len(new) else [None] * len(new)
    return all(was_open is True or was == now for was_open, was, now in zip(open_then, before, new, strict=True))


def _leaves(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    """(dotted path, value); a list of one, as Terraform's blocks are, gets no number."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list) and value and all(isinstance(inner, dict) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(path if len(value) == 1 else f"{path}.{number}", inner)
    else:
        yield path, value


def _spoken(value: Json) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= VALUE_LENGTH_MAX else text[:VALUE_LENGTH_MAX] + "…"
