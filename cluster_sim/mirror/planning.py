"""From the table, the configuration and the prior state to the plan. Pure; nothing here talks to a world."""

from __future__ import annotations

from typing import Any

from cluster_sim.mirror.schema import Attribute, Block, Nested, Values
from cluster_sim.mirror.values import UNKNOWN

Path = tuple[str | int, ...]


def plan(block: Block, config: Values, prior: Values | None) -> Values:
    """What the resource will be: as configured, else the default, else what it was, else unknown until applied."""
    return {name: _plan_member(member, config.get(name), prior, name) for name, member in block.members.items()}


def _plan_member(member: Attribute | Nested | Block, given: Any, prior: Values | None, name: str) -> Any:
    was = prior.get(name) if prior is not None else None
    match member:
        case Attribute():
            if "W" in member.flags:
                return None  # Write-only: used when applying, kept nowhere.
            if given is not None:
                return given
            if member.default is not None:
                return member.default
            if member.computed:
                return UNKNOWN if prior is None else was
            return None
        case Nested():
            if given is None or given is UNKNOWN:
                return was if given is None and "C" in member.flags and prior is not None else given
            inner = Block(member.members)
            if member.nesting == "single":
                return plan(inner, given, was)
            return _plan_items(inner, given, was)
        case Block():
            if given is UNKNOWN or member.nesting == "single":
                return given if given is None or given is UNKNOWN else plan(member, given, was)
            if not given and (member.computed or (member.flags and given is None)):
                return UNKNOWN if prior is None else was
            return _plan_items(member, given or [], was)


def _plan_items(inner: Block, given: list[Values], was: Any) -> list[Values]:
    before = was if isinstance(was, list) else []
    return [plan(inner, item, before[index] if index < len(before) else None) for index, item in enumerate(given)]


def replacements(block: Block, planned: Values, prior: Values) -> list[Path]:
    """The paths whose change cannot be made in place."""
    found: list[Path] = []
    _collect(block, planned, prior, planned, (), found)
    return found


def _collect(block: Block, planned: Values, prior: Values, whole: Values, path: Path, found: list[Path]) -> None:
    for name, member in block.members.items():
        now, was = planned.get(name), prior.get(name)
        match member:
            case Attribute(replaces=rule):
                if now != was and (rule(whole) if callable(rule) else rule):
                    found.append((*path, name))
            case Block() if isinstance(now, list) and isinstance(was, list):
                for index, (item, item_before) in enumerate(zip(now, was, strict=False)):
                    _collect(member, item, item_before, whole, (*path, name, index), found)
                if len(now) != len(was) and any(isinstance(m, Attribute) and m.replaces for m in member.members.values()):
                    found.append((*path, name))


def without_unknowns(value: Any) -> Any:
    """What can be kept of a plan when carrying it out broke off: a state holds no unknown values."""
    if value is UNKNOWN:
        return None
    if isinstance(value, dict):
        return {name: without_unknowns(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_unknowns(item) for item in value]
    return value


def refused(block: Block, config: Values, path: Path = ()) -> list[Path]:
    """What is configured although the stand-in knows it by name only."""
    found: list[Path] = []
    for name, member in block.members.items():
        given = config.get(name)
        match member:
            case Attribute(refused=True) if given is not None and given != member.default:
                found.append((*path, name))
            case Block() if isinstance(given, list):
                for index, item in enumerate(given):
                    here = (*path, name, index)
                    found += [here] if member.refused else refused(member, item, here)
    return found
