"""World files: YAML that says what a simulated world is like, and on which days it is bad.

A file may be based on another (`based_on: four_nodes.yaml`) and then says only what differs; several files make one world.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from .proxmox.checking import problems
from .proxmox.section import ProxmoxSection

_BASES_MAX = 8
_KEYS = ("name", "based_on", "time", "proxmox", "azure")


class BadWorld(Exception):
    """A world that cannot be; says everything that is wrong with it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class World:
    name: str
    proxmox: ProxmoxSection | None
    azure: dict[str, Any] | None
    time: float = 1.0


def read_world(*files: Path) -> World:
    """Raises BadWorld with all problems at once."""
    merged: dict[str, Any] = {}
    for file in files:
        merged = _merge(merged, _with_bases(file))
    wrong = [f"The world has a section {key!r}; it may have {', '.join(_KEYS)}." for key in merged if key not in _KEYS]
    proxmox: ProxmoxSection | None = None
    if "proxmox" in merged:
        try:
            proxmox = ProxmoxSection.model_validate(merged["proxmox"])
        except ValidationError as why:
            wrong += _shape(why)
        else:
            wrong += problems(proxmox)
    azure = merged.get("azure")
    if azure is not None and not isinstance(azure, dict):
        wrong.append("The section azure must hold names and values.")
    elif azure is not None:
        # Only a world with this section pays for its import.
        from .azure import problems as azure_problems

        wrong += azure_problems(azure)
    if "proxmox" not in merged and azure is None:
        wrong.append("The world is empty: it needs a section proxmox or azure.")
    time = merged.get("time", 1)
    if not isinstance(time, int | float) or time <= 0:
        wrong.append(f"The section time is {time!r}; it says how many times faster than real things go, like 10.")
    if wrong:
        raise BadWorld(tuple(wrong))
    return World(str(merged.get("name", files[-1].stem)), proxmox, azure, float(time))


def _shape(why: ValidationError) -> list[str]:
    sentences = []
    for error in why.errors(include_url=False, include_context=False):
        # Of a fault that fits none of the four forms pydantic tells four stories; the place is the same.
        place = ".".join(str(part) for part in error["loc"] if not str(part).endswith("Section"))
        found = f" (found {error['input']!r})" if not isinstance(error["input"], dict | list) else ""
        sentences.append(f"proxmox.{place}: {error['msg'][0].lower()}{error['msg'][1:]}{found}.")
    return list(dict.fromkeys(sentences))


def _with_bases(file: Path) -> dict[str, Any]:
    """The file over what it is based on."""
    chain: list[dict[str, Any]] = []
    for _ in range(_BASES_MAX):
        here = _read(file)
        chain.append(here)
        base = here.pop("based_on", None)
        if base is None:
            merged: dict[str, Any] = {}
            for part in reversed(chain):
                merged = _merge(merged, part)
            return merged
        file = file.parent / str(base)
    raise BadWorld((f"{file}: more than {_BASES_MAX} files are based on one another, perhaps in a circle.",))


def _read(file: Path) -> dict[str, Any]:
    try:
        value = yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 (the loader is the safe one, with one check more)
    except FileNotFoundError:
        raise BadWorld((f"There is no world file {file}. The worlds that come with cluster_sim are in cluster_sim/worlds/.",)) from None
    except (OSError, UnicodeDecodeError) as why:
        raise BadWorld((f"The world file {file} cannot be read: {why}.",)) from None
    except yaml.YAMLError as why:
        raise BadWorld((f"The world file {file} is not YAML: {' '.join(str(why).split())}.",)) from None
    if not isinstance(value, dict):
        raise BadWorld((f"The world file {file} must hold sections with names, like proxmox.",))
    return value


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Names inside names are merged, faults add up, null takes away, anything else replaces."""
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merge(before, value)
        elif key == "faults" and isinstance(before, list) and isinstance(value, list):
            merged[key] = [*before, *value]
        elif value is None and isinstance(before, dict):
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


class _Loader(yaml.SafeLoader):
    """The safe loader; the same name twice is a mistake, not a wish."""


def _no_twins(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.MarkedYAMLError(None, None, f"{key!r} is there twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _no_twins)
