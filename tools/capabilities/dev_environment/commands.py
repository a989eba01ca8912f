"""The commands of a development environment's guide. The verify step runs them."""

from __future__ import annotations

import shlex
from typing import Any

from tools.rules.words.guiding import common, on_machine
from tools.values.manifest import Command
from tools.values.requirements import Needs


def commands(machines: list[dict[str, Any]], needs: Needs) -> tuple[Command, ...]:
    field = needs.field("packages")
    asked = field.value if field is not None and isinstance(field.value, tuple) else ()
    return tuple(command for machine in machines for command in _of(machine, asked))


def _of(machine: dict[str, Any], asked: tuple[str, ...]) -> tuple[Command, ...]:
    name = machine["name"]
    compile_one = "echo 'int main(void) { return 0; }' | gcc -x c -o /dev/null - && gcc --version"
    tools = (
        on_machine(name, "See that git is there", "git --version", "git version"),
        on_machine(name, "Compile a program", compile_one, "gcc"),
    )
    if not asked:
        return (*tools, *common(machine))
    shown = f"dpkg-query --show {' '.join(shlex.quote(package) for package in asked)}"
    return (*tools, on_machine(name, "See the packages that were asked for", shown, asked[-1]), *common(machine))
