"""The commands of a development environment's guide. The verify step runs them."""

from __future__ import annotations

import shlex

from tools.rules.words.guiding import common, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    name, asked = machine.name, part.needs.strings("packages")
    compile_one = "echo 'int main(void) { return 0; }' | gcc -x c -o /dev/null - && gcc --version"
    tools = (
        on_machine(name, "See that git is there", "git --version", "git version"),
        on_machine(name, "Compile a program", compile_one, "gcc"),
    )
    if not asked:
        return (*tools, *common(machine))
    shown = f"dpkg-query --show {' '.join(shlex.quote(package) for package in asked)}"
    return (*tools, on_machine(name, "See the packages that were asked for", shown, asked[-1]), *common(machine))
