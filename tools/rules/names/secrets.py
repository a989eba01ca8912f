"""What the secrets of a part are called among those of its run: two parts of one kind have files of their own. Making them is
tools.pipeline.run_folder's."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tools.values.manifest import Command, Endpoint, Part
from tools.values.value import Json


def with_own_secrets(part: Part, before: Part | None) -> Part:
    """A part that is called otherwise than its service has its label behind each name. What it was made with keeps its name: `before` is
    the part as it stands, if it does."""
    known = _names(before) if before is not None else set()
    own = {name: f"{name}-{part.label}" for name in _names(part) - known if part.label != part.capability}
    if not own:
        return part
    configure = part.configure and part.configure.model_copy(update={"variables": _variables(part.configure.variables, own)})
    return part.model_copy(
        update={
            "secrets": tuple(one.model_copy(update={"name": own.get(one.name, one.name)}) for one in part.secrets),
            "certificates": tuple(one.model_copy(update={"name": own.get(one.name, one.name)}) for one in part.certificates),
            "configure": configure,
            "endpoints": tuple(_endpoint(one, own) for one in part.endpoints),
            "commands": _commands(part.commands, own),
            "farewell": _commands(part.farewell, own),
        }
    )


def _names(part: Part) -> set[str]:
    """The key that logs in is the run's."""
    return {one.name for one in part.secrets if one.kind != "ssh_key"} | {one.name for one in part.certificates}


def _variables(variables: Json, own: Mapping[str, str]) -> Json:
    if not isinstance(variables, dict):
        return variables
    named = {name: value["secret"] for name, value in variables.items() if isinstance(value, dict) and set(value) == {"secret"}}
    return {**variables, **{name: {"secret": own.get(secret, secret)} for name, secret in named.items()}}


def _endpoint(one: Endpoint, own: Mapping[str, str]) -> Endpoint:
    return one.model_copy(
        update={"password": own.get(one.password, one.password), "certificate": own.get(one.certificate, one.certificate)}
    )


def _commands(commands: Collection[Command], own: Mapping[str, str]) -> tuple[Command, ...]:
    """Their files, with what stands beside them: `secrets/tls_certificate.crt`."""
    names = re.compile(rf"(?<=/secrets/)({'|'.join(map(re.escape, sorted(own)))})(?![\w-])")
    return tuple(
        one.model_copy(update={"argv": tuple(names.sub(lambda found: own[found[1]], word) for word in one.argv)}) for one in commands
    )
