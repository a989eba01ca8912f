"""Reads the little shell that Ansible and people send over SSH: quotes, substitutions, `&&`, pipes, redirections. What a command does is commands.py.

It is no shell for scripts: loops, functions and `if` are refused by name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cluster_sim.guests.emulated.host import Host, HostProblem

DEPTH_MAX = 12
OPERATORS = ("&&", "||", "|", ";", "(", ")", "\n", "&")
REDIRECTIONS = ("2>&1", "1>&2", ">&2", "2>>", "2>", ">>", ">", "<")
REFUSED = ("if", "for", "while", "until", "case", "function", "{")


@dataclass
class Session:
    """Who is at work, and what is heard from and said to him."""

    user: str
    read: Callable[[], bytes]
    write: Callable[[bytes], None]
    complain: Callable[[bytes], None]
    folder: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    depth: int = 0

    def to(self, **changes: object) -> Session:
        """The same for a part of the work, with its own variables; `changes` are fields."""
        return replace(self, **({"depth": self.depth + 1, "variables": dict(self.variables)} | changes))  # type: ignore[arg-type]


Run = Callable[[Host, Session, list[str]], int]


@dataclass
class _Word:
    parts: list[tuple[str, str]]
    """Each part is ("text" | "bare" | "run" | "variable", what)."""


@dataclass
class _Command:
    words: list[_Word]
    redirections: list[tuple[str, _Word | None]]
    group: _List | None = None


@dataclass
class _List:
    items: list[tuple[str, list[_Command]]]
    """Pipelines, each after the operator that leads to it."""


def run_shell(host: Host, session: Session, text: str, run: Run) -> int:
    """Runs a command line; each simple command goes to `run`."""
    if session.depth > DEPTH_MAX:
        session.complain(b"emulated guest: commands are nested too deeply\n")
        return 2
    try:
        parser = _Parser(text)
        parsed = parser.parse()
    except HostProblem as problem:
        session.complain(f"emulated guest: {problem}\n".encode())
        return 2
    return _run_list(host, session, parsed, run)


def _run_list(host: Host, session: Session, items: _List, run: Run) -> int:
    status = 0
    for operator, pipeline in items.items:
        if (operator == "&&" and status != 0) or (operator == "||" and status == 0):
            continue
        status = _run_pipeline(host, session, pipeline, run)
    return status


def _run_pipeline(host: Host, session: Session, pipeline: list[_Command], run: Run) -> int:
    status, piped = 0, None
    for position, command in enumerate(pipeline):
        here = session if len(pipeline) == 1 else session.to()
        if piped is not None:
            given = piped
            here.read = lambda given=given: given  # type: ignore[misc]
        if position < len(pipeline) - 1:
            out = bytearray()
            here.write = out.extend
            status = _run_command(host, here, command, run)
            piped = bytes(out)
        else:
            status = _run_command(host, here, command, run)
    return status


def _run_command(host: Host, session: Session, command: _Command, run: Run) -> int:
    here = session
    for kind, target in command.redirections:
        here = _redirected(host, here, kind, _expand(host, session, target, run) if target else "", run)
    if command.group is not None:
        return _run_list(host, here.to(), command.group, run)
    words = []
    for word in command.words:
        text = _expand(host, session, word, run)
        # An unquoted substitution that gave nothing is no word at all.
        if text or not all(kind in ("bare", "variable", "run") for kind, _ in word.parts):
            words.append(text)
    while words and (assigned := words[0].partition("="))[1] and assigned[0].isidentifier():
        session.variables[assigned[0]] = assigned[2]
        words.pop(0)
    if not words:
        return 0
    if words[0] in REFUSED:
        session.complain(f"emulated guest: `{words[0]}` is not emulated\n".encode())
        return 2
    if words[0] in ("cd", "umask", "export", "set"):
        if words[0] == "cd" and len(words) > 1:
            session.folder = posixpath.join(session.folder, words[1])
        return 0
    return run(host, here, words)


def _redirected(host: Host, session: Session, kind: str, target: str, run: Run) -> Session:
    here = session.to(depth=session.depth)
    here.variables = session.variables
    if kind == "2>&1":
        here.complain = here.write
        return here
    if kind in ("1>&2", ">&2"):
        here.write = here.complain
        return here
    path = posixpath.join(session.folder, target)
    if kind == "<":
        here.read = lambda: host.read(path)
        return here
    if target == "/dev/null":
        sink: Callable[[bytes], None] = lambda _: None  # noqa: E731
    else:
        host.write(path, host.read(path) if kind.endswith(">>") and host.entry(path) else b"", owner=session.user)

        def sink(data: bytes) -> None:
            host.write(path, host.read(path) + data)

    if kind.startswith("2"):
        here.complain = sink
    else:
        here.write = sink
    return here


def _expand(host: Host, session: Session, word: _Word, run: Run) -> str:
    text = ""
    for position, (kind, what) in enumerate(word.parts):
        if kind == "run":
            out = bytearray()
            run_shell(host, session.to(write=out.extend), what, run)
            text += out.decode("utf-8", "replace").strip().replace("\n", " ")
        elif kind == "variable":
            person = host.people.get(session.user)
            known = {"HOME": person.home if person else "/", "USER": session.user, "PWD": session.folder, "?": "0"}
            text += session.variables.get(what, known.get(what, ""))
        elif kind == "bare" and position == 0 and what.startswith("~"):
            name, slash, rest = what[1:].partition("/")
            person = host.people.get(name or session.user)
            text += (person.home if person else f"~{name}") + slash + rest
        else:
            text += what
    return text


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def parse(self) -> _List:
        parsed = self._list(inside=False)
        if self._at < len(self._text):
            raise HostProblem("this command line is not understood")
        return parsed

    def _list(self, inside: bool) -> _List:
        items: list[tuple[str, list[_Command]]] = []
        operator, pipeline = ";", []
        while True:
            command = self._command()
            if command.words or command.group is not None or command.redirections:
                pipeline.append(command)
            found = self._operator()
            if found == "|":
                continue
            if pipeline:
                items.append((operator, pipeline))
            pipeline = []
            if found == ")" and inside:
                return _List(items)
            if found in ("", ")"):
                if found == ")" or inside:
                    raise HostProblem("a parenthesis is not closed")
                return _List(items)
            operator = found if found in ("&&", "||") else ";"

    def _operator(self) -> str:
        for operator in OPERATORS:
            if self._text.startswith(operator, self._at) and operator != "(":
                self._at += len(operator)
                return operator
        return ""

    def _command(self) -> _Command:
        command = _Command([], [])
        while self._at < len(self._text):
            letter = self._text[self._at]
            redirection = next((each for each in REDIRECTIONS if self._text.startswith(each, self._at)), None)
            if letter in " \t" or self._text.startswith("\\\n", self._at):
                self._at += 1 if letter in " \t" else 2
            elif letter == "#" and (self._at == 0 or self._text[self._at - 1].isspace()):
                self._at = (self._text.find("\n", self._at) + 1 or len(self._text) + 1) - 1
            elif letter == "(" and not command.words:
                self._at += 1
                command.group = self._list(inside=True)
            elif redirection and not (redirection[0].isdigit() and self._at and not self._text[self._at - 1].isspace()):
                self._at += len(redirection)
                if redirection.endswith(("&1", "&2")):
                    command.redirections.append((redirection, None))
                else:
                    while self._text[self._at : self._at + 1] == " ":
                        self._at += 1
                    command.redirections.append((redirection, self._word()))
            elif any(self._text.startswith(operator, self._at) for operator in OPERATORS):
                break
            else:
                command.words.append(self._word())
        return command

    def _word(self) -> _Word:
        parts: list[tuple[str, str]] = []
        bare = ""

        def flush() -> None:
            nonlocal bare
            if bare:
                parts.append(("bare", bare))
            bare = ""

        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in " \t\n;|&()<>":
                break
            self._at += 1
            if letter == "'":
                flush()
                end = self._text.find("'", self._at)
                if end < 0:
                    raise HostProblem("a quote is not closed")
                parts.append(("text", self._text[self._at : end]))
                self._at = end + 1
            elif letter == '"':
                flush()
                parts.append(("text", ""))
                parts.extend(self._double())
            elif letter == "\\":
                bare += self._text[self._at : self._at + 1]
                self._at += 1
            elif letter in "`$" and (found := self._substitution(letter)):
                flush()
                parts.append(found)
            else:
                bare += letter
        flush()
        return _Word(parts)

    def _double(self) -> list[tuple[str, str]]:
        parts: list[tuple[str, str]] = []
        text = ""
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == '"':
                parts.append(("text", text))
                return parts
            if letter == "\\" and self._text[self._at : self._at + 1] in ('"', "\\", "`", "$"):
                text += self._text[self._at]
                self._at += 1
            elif letter in "`$" and (found := self._substitution(letter)):
                parts.append(("text", text))
                parts.append(found)
                text = ""
            else:
                text += letter
        raise HostProblem("a quote is not closed")

    def _substitution(self, letter: str) -> tuple[str, str] | None:
        if letter == "`":
            end = self._text.find("`", self._at)
            if end < 0:
                raise HostProblem("a quote is not closed")
            inner = self._text[self._at : end]
            self._at = end + 1
            return "run", inner
        if self._text.startswith("(", self._at):
            depth, start = 1, self._at + 1
            while depth and self._at + 1 < len(self._text):
                self._at += 1
                depth += {"(": 1, ")": -1}.get(self._text[self._at], 0)
            self._at += 1
            return "run", self._text[start : self._at - 1]
        braced = self._text.startswith("{", self._at)
        end = start = self._at + braced
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] in "_?"):
            end += 1
        if end == start:
            return None
        self._at = end + braced
        return "variable", self._text[start:end]
