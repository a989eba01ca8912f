"""An organisation's own Rego, evaluated in this process by regopy (the extra `policy`). It sees the same document as the YAML rules.

A file belongs to `package berth` and says `reject` and `approval`: sets of objects, as docs/policy.md shows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.rules.plans.policy import Judgement
from tools.values.review import fault
from tools.values.trouble import RequestProblem
from tools.values.value import Json

FILES_MAX = 100
FILE_BYTES_MAX = 1_000_000


def read_rego(folder: Path) -> Callable[[Json], Judgement]:
    """A judge over every `*.rego` of a folder. Raises RequestProblem when regopy is missing or a file cannot be taken."""
    try:
        from regopy import Interpreter, RegoError
    except ImportError:
        raise RequestProblem(
            "Rego cannot be read.", "The package regopy is not installed.", "Install Berth with the extra `policy`."
        ) from None
    modules = [(file.name, _text(file)) for file in sorted(folder.glob("*.rego"))[:FILES_MAX]]

    def interpreter() -> Any:
        made = Interpreter()
        for name, text in modules:
            try:
                made.add_module(name, text)
            except RegoError as fault:
                raise RequestProblem(
                    "Rego cannot be read.", f"{name} does not compile: {_first_line(str(fault))}.", "Correct it."
                ) from None
        return made

    interpreter()  # A fault is told when the policy is read, not at the first request.

    def judge(document: Json) -> Judgement:
        # An interpreter of its own each time: requests are judged side by side, and one keeps its input.
        asked = interpreter()
        asked.set_input(document)
        part = str(document.get("part", ""))
        findings = tuple(
            fault(
                "rego",
                because=str(one.get("because", "It is against the organisation's Rego.")),
                remedy=str(one.get("remedy", "")),
            ).finding(f"policy.{one.get('id', 'rego')}", part, str(one.get("subject", part)))
            for one in _objects(asked, "reject", RegoError)
        )
        approvals = tuple(
            (str(one["role"]), str(one.get("because", "The organisation's Rego asks for it.")))
            for one in _objects(asked, "approval", RegoError)
            if one.get("role")
        )
        return Judgement(findings=findings, approvals=approvals)

    return judge


def _objects(asked: Any, name: str, error: type[Exception]) -> list[dict[str, Any]]:
    try:
        answer = asked.query(f"data.berth.{name}")
    except error as fault:
        raise RequestProblem("Rego cannot be evaluated.", f"{name}: {_first_line(str(fault))}.", "Correct the rule.") from None
    found = [value for result in answer.results for value in result.expressions]
    flat = [one for value in found for one in (value if isinstance(value, list) else [value])]
    return sorted((one for one in flat if isinstance(one, dict)), key=str)


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()[: FILE_BYTES_MAX + 1]
        if len(content) > FILE_BYTES_MAX:
            raise ValueError("it is larger than 1 MB")
        return content.decode()
    except (OSError, ValueError) as fault:
        raise RequestProblem("Rego cannot be read.", f"{file.name}: {fault}.", "Correct it.") from None


def _first_line(text: str) -> str:
    return " ".join(text.split())[:200]
