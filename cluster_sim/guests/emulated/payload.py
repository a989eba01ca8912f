"""Recognises what ansible-core sends to be run, without running it.

The form is ansible-core's own and not promised to anyone: it is read here for 2.19, and a test with the installed ansible-core
holds us to it.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Any

CALL = b"_ansiballz_main("


@dataclass(frozen=True)
class Payload:
    module: str
    """The full name, such as `ansible.modules.apt` or `ansible_collections.community.general.plugins.modules.ufw`."""
    arguments: dict[str, Any]
    check: bool = False

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]


def read_payload(source: bytes) -> Payload | None:
    """The module and its arguments from the last call of an AnsiballZ program, or None when it is something else."""
    start = source.rfind(CALL)
    if start < 0:
        return None
    try:
        call = ast.parse(source[start:].decode().strip()).body[0]
        assert isinstance(call, ast.Expr)
        assert isinstance(call.value, ast.Call)
        given = {word.arg: ast.literal_eval(word.value) for word in call.value.keywords if word.arg in ("module_fqn", "params")}
        arguments = json.loads(given["params"])["ANSIBLE_MODULE_ARGS"]
        check = bool(arguments.get("_ansible_check_mode"))
        own = {name: value for name, value in arguments.items() if not name.startswith("_ansible_")}
        return Payload(str(given["module_fqn"]), own, check)
    except (AssertionError, SyntaxError, ValueError, KeyError, IndexError, TypeError, UnicodeDecodeError):
        return None
