"""Reads the little shell that Ansible sends over SSH: quotes, backticks, `&&`, `||`, parentheses, redirections into files.

What a command does is commands.py. It is no shell for people or scripts: variables, pipes, patterns and loops are refused by
name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cluster_sim.guests.emulated.host import Host, HostProblem

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)|(?P<operator>&&|\|\||[;\n()])|(?P<redirection>2>&1|2>|>>|>)"""
    r"""|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|`(?P<run>[^`]*)`|\\(?P<escaped>.)|(?P<bare>[^\s;&|()<>'"`\\$*?]+)""",
    re.DOTALL,
)
_REFUSED = ("if", "for", "while", "until", "case", "function", "{")
NOT_UNDERSTOOD = 2


@dataclass
class Session:
    """Who is at work, and what is heard from them and said to them."""

    user: str
    read: Callable[[], bytes]
    write: Callable[[bytes], None]
    complain: Callable[[bytes], None]
    folder: str = "/"


Run = Callable[[Host, Session, list[str]], int]
Token = tuple[str, str]
"""(kind, text), as _TOKEN names them."""


@dataclass
class _Command:
    after: str
    """The operator that leads to it."""
    words: list[list[Token]] = field(default_factory=list)
    """Each is the tokens that stand together; a redirection is one with what it leads to."""
    group: list[_Command] | None = None


def run_shell(host: Host, session: Session, line: str, run: Run) -> int:
    """Runs a command line; each simple command goes to `run`. Returns the exit status."""
    try:
        commands = _parsed(_tokens(line))
    except (HostProblem, RecursionError) as problem:
        session.complain(f"emulated guest: {problem}\n".encode())
        return NOT_UNDERSTOOD
    return _run_list(host, session, commands, run)


def _tokens(line: str) -> list[Token]:
    """The tokens, the last one first."""
    found = []
    at = 0
    while at < len(line):
        token = _TOKEN.match(line, at)
        if token is None or (token["double"] and "$" in re.sub(r"\\.", "", token["double"])):
            raise HostProblem(f"{line[at : at + 20]!r} is not emulated, or a quote is not closed")
        found.append((str(token.lastgroup), token[str(token.lastgroup)]))
        at = token.end()
    return found[::-1]


def _parsed(tokens: list[Token], inside: bool = False) -> list[_Command]:
    """Takes the tokens of one list, with its closing parenthesis when it is inside of one."""
    commands = [_Command(";")]
    together = False
    while tokens:
        kind, text = tokens.pop()
        command = commands[-1]
        if (kind, text) == ("operator", "("):
            if command.words or command.group is not None:
                raise HostProblem("a parenthesis stands where none may")
            command.group = _parsed(tokens, inside=True)
        elif (kind, text) == ("operator", ")"):
            if not inside:
                raise HostProblem("a parenthesis was not opened")
            return commands
        elif kind == "operator":
            commands.append(_Command(text if text in ("&&", "||") else ";"))
        elif kind != "blank":
            if not together:
                command.words.append([])
            command.words[-1].append((kind, text))
        if kind == "blank":
            # It parts words, but not `>` and its file.
            together = together and command.words[-1][-1][0] == "redirection"
        else:
            together = kind != "operator" and text != "2>&1" and not (tokens and tokens[-1][0] == "redirection")
    if inside:
        raise HostProblem("a parenthesis is not closed")
    return commands


def _run_list(host: Host, session: Session, commands: list[_Command], run: Run) -> int:
    status = 0
    for command in commands:
        if not (command.words or command.group) or (command.after, status == 0) in (("&&", False), ("||", True)):
            continue
        here, words = replace(session), []
        for first, *rest in command.words:
            if first[0] == "redirection":
                _redirect(host, here, first[1], _expanded(host, session, rest, run))
            else:
                words.append(_expanded(host, session, [first, *rest], run))
        if words and words[0] in _REFUSED:
            session.complain(f"emulated guest: `{words[0]}` is not emulated\n".encode())
            return NOT_UNDERSTOOD
        if command.group is not None:
            status = _run_list(host, here, command.group, run)
        else:
            status = run(host, here, words) if words else 0
    return status


def _redirect(host: Host, session: Session, sign: str, target: str) -> None:
    if sign == "2>&1":
        session.complain = session.write
        return
    path = posixpath.join(session.folder, target)
    if target != "/dev/null":
        host.write(path, host.read(path) if sign == ">>" and host.entry(path) else b"", owner=session.user)

    def sink(data: bytes) -> None:
        if target != "/dev/null":
            host.write(path, host.read(path) + data)

    if sign == "2>":
        session.complain = sink
    else:
        session.write = sink


def _expanded(host: Host, session: Session, word: list[Token], run: Run) -> str:
    text = ""
    for kind, piece in word:
        if kind == "run":
            text += _heard(host, session, piece, run)
        elif kind == "double":
            parts = re.split(r"`([^`]*)`", piece)
            text += "".join(_heard(host, session, p, run) if n % 2 else re.sub(r'\\(["\\`$])', r"\1", p) for n, p in enumerate(parts))
        elif kind == "bare" and not text and piece.startswith("~"):
            name, slash, rest = piece[1:].partition("/")
            text += host.account(name or session.user).home + slash + rest
        else:
            text += piece
    return text


def _heard(host: Host, session: Session, line: str, run: Run) -> str:
    """What a command line in backticks says."""
    out = bytearray()
    run_shell(host, replace(session, write=out.extend), line, run)
    return out.decode("utf-8", "replace").rstrip("\n")
