"""What Terraform says, as our own words: its diagnostics as trouble, its events as progress. No process is started here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from tools.clients.process import plain
from tools.rules.names.foreign import theirs
from tools.values.trouble import RequestProblem, Trouble, WorldProblem
from tools.values.value import Json

ERRORS_SHOWN_MAX = 3
DETAIL_LENGTH_MAX = 600
LENGTH_MAX = 10_000
"""Of what is read at all."""

_VERBS = {
    "create": ("creating", "created", "create"),
    "update": ("changing", "changed", "change"),
    "delete": ("removing", "removed", "remove"),
    "read": ("reading", "read", "read"),
}

_AZURE_CODE = re.compile(r"ERROR CODE: (\w+)")
_AZURE_MESSAGE = re.compile(r'"message": ("(?:[^"\\]|\\.)*")')
_AZURE_RESOURCE = re.compile(r'ResourceId \\?"[^"]*?/providers/([\w./-]+?)/([\w.()-]+)\\?"')

_TRIES = re.compile(r"All attempts fail:\s*#1: (?:.*#(\d+): )?(.*)", re.DOTALL)
"""How bpg/proxmox ends what it has tried several times: each try with its answer, which are mostly the same."""

_OTHER_FILE = re.compile(r"checksum mismatch: got '([0-9a-fA-F]{8,128})' != expect '([0-9a-fA-F]{8,128})'")
"""How Proxmox VE refuses a file that is not what it should be (download_file_from_url of pve-common, 2026-11-30)."""
_OTHER_IMAGE = "Name an image that is there in the site file (`images`), with its checksum, and ask again."

_FRAME = re.compile(r"^[\s╷│╵|]*", re.MULTILINE)

_LOCK = re.compile(r"^\s*(ID|Path|Operation|Who|Created):[ \t]*(.*?)\s*$", re.MULTILINE)
_LOCKED_AT = "%Y-%m-%d %H:%M:%S"

_KNOWN: tuple[tuple[str, bool, str], ...] = (
    # (what it says, whether trying again may help, the next move)
    (
        r"Failed to query available provider packages|Failed to install provider|no available releases",
        False,
        "Set BERTH_PROVIDER_MIRROR to a folder with the providers, or let this machine reach the Terraform registry.",
    ),
    (
        r"x509|certificate (?:signed by|is not|has expired)|tls: ",
        False,
        "Set BERTH_CA_FILE to the CA that signed the server's certificate.",
    ),
    (
        r"\b401\b|authentication failure|invalid token|no such token|AADSTS",
        False,
        "Look at the token in the settings, and whether it expired.",
    ),
    (
        r"AuthorizationPermissionMismatch",
        False,
        "Give the login the role Storage Blob Data Contributor on the container of the state (Owner is not enough), then ask again.",
    ),
    (r"ContainerNotFound", False, "Make the container that state_storage in the site file names, or correct the name, then ask again."),
    (r"invalid server response", False, f"If it is gone for good, say leave. {_OTHER_IMAGE}"),
    (r"\b403\b|permission|Forbidden|AuthorizationFailed", False, "Give the token the privilege that is named, then try again."),
    (
        r"can't lock file|got timeout|Error acquiring the state lock|CONFIG_LOCKED|is locked",
        True,
        "Somebody else works on it; try again in a minute.",
    ),
    (
        r"no space|not enough space|out of space|storage .* full|No space left",
        False,
        "Free space there or choose another storage, then ask again.",
    ),
    (
        r"connection refused|no such host|i/o timeout|connection reset|EOF|context deadline|\b50[0234]\b|\b59[56]\b",
        True,
        "Look whether it is up and reachable from here, then say retry.",
    ),
    (r"QuotaExceeded|quota", False, "Ask for less, choose another region, or have the quota raised."),
    (r"TooManyRequests|\b429\b", True, "It asks us to slow down; say retry in a minute."),
    (r"InternalServerError|ServerBusy|ServiceUnavailable", True, "That is on Azure's side; say retry, in a while if it stays."),
    (r"Saved plan is stale", False, "What it is about changed meanwhile; ask for a new plan."),
)


class Lock(NamedTuple):
    """Who holds a record of what exists, as Terraform tells it."""

    id: str
    path: str
    operation: str
    """`OperationTypeApply`."""
    who: str
    """`user@host`."""
    created: datetime

    def is_of(self, user: str, host: str, after: float, before: float) -> bool:
        """Whether that process took it within that time; seconds since 1970. Terraform writes whole seconds down to nanoseconds, so one is
        allowed for."""
        return self.who == f"{user}@{host}" and after - 1 <= self.created.timestamp() <= before

    @property
    def breakable(self) -> bool:
        """A local record's lock ends with the process that has it."""
        return self.path != "terraform.tfstate"


def lock_of(text: str) -> Lock | None:
    """The lock that Terraform speaks of; None when it speaks of none."""
    said = dict(_LOCK.findall(text))
    try:
        created = datetime.strptime(said["Created"][:19], _LOCKED_AT).replace(tzinfo=UTC)
        return Lock(said["ID"], said["Path"], said["Operation"], said["Who"], created)
    except (KeyError, ValueError):
        return None


def problem_of_events(summary: str, text: str, secrets: Iterable[str]) -> Trouble:
    """From `-json` output: one document (validate) or a line an event (plan, apply)."""
    found = list(errors(text))
    if not found:
        # Events are for programs: of an end without an error there is only what was said between them.
        words = "\n".join(line for line in text.splitlines() if event_of(line) is None and not line.startswith('{"@'))
        if not words.strip():
            return WorldProblem(summary, "Terraform ended without a word about why.", "Say retry to go on from there.", retryable=True)
        return problem_of_text(summary, words, secrets)
    return _problem(summary, found, tuple(secrets))


def problem_of_text(summary: str, text: str, secrets: Iterable[str]) -> Trouble:
    cleaned = _FRAME.sub("", plain(text, secrets, 10_000)).strip()
    _, mark, said = cleaned.partition("Error: ")
    return _problem(summary, [(" ".join((said if mark else cleaned).split()), "")], tuple(secrets))


def errors(text: str) -> Iterator[tuple[str, str]]:
    """(summary, detail) of every error in `-json` output."""
    for event in events(text):
        diagnostics = event.get("diagnostics") or [event.get("diagnostic")]
        for one in diagnostics:
            if isinstance(one, dict) and one.get("severity") == "error":
                yield str(one.get("summary", "")), str(one.get("detail", ""))


def events(text: str) -> Iterator[dict[str, Json]]:
    try:
        whole = json.loads(text)
        yield from [whole] if isinstance(whole, dict) else []
        return
    except ValueError:
        pass
    for line in text.splitlines():
        event = event_of(line)
        if event is not None:
            yield event


def event_of(line: str) -> dict[str, Json] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None  # A provider's stray words, or a line that was cut when the machine went down.
    return found if isinstance(found, dict) else None


def progress_of(event: dict[str, Json], called: Mapping[str, str]) -> str:
    """One line for the journal; empty for what nobody needs to read. `called`: the name of what an address of the plan stands for, empty
    where it stands for no thing."""
    kind = event.get("type")
    if kind not in ("apply_start", "apply_progress", "apply_complete", "apply_errored"):
        return ""
    hook = event.get("hook") or {}
    resource = hook.get("resource", {})
    name = called.get(str(resource.get("addr")), str(resource.get("resource_key") or resource.get("resource_name") or "it"))
    doing, did, do = _VERBS.get(str(hook.get("action")), ("working on", "worked on", "work on"))
    if not name:
        if kind in ("apply_start", "apply_complete"):
            return ""
        name, doing, do = "what was changed", "applying", "apply"
    seconds = hook.get("elapsed_seconds")
    if kind == "apply_start":
        return plain(f"{doing} {name}")
    if kind == "apply_progress":
        return plain(f"still {doing} {name}, {seconds} s so far")
    if kind == "apply_errored":
        return plain(f"could not {do} {name}, tried for {seconds} s")
    return plain(f"{did} {name} in {seconds} s")


def _problem(summary: str, found: list[tuple[str, str]], secrets: tuple[str, ...]) -> Trouble:
    if known := _of_the_record(summary, found, secrets) or _of_a_file(found):
        return known
    sentences = [_sentence(title, detail, secrets) for title, detail in dict.fromkeys(found)][:ERRORS_SHOWN_MAX]
    detail = " ".join(sentences) or "Terraform gave no reason."
    if "Invalid value for variable" in detail:
        return RequestProblem(summary, detail, "Change the value that is named, then ask again.")
    for pattern, retryable, remedy in _KNOWN:
        if re.search(pattern, detail, re.IGNORECASE):
            return WorldProblem(summary, detail, remedy, retryable=retryable)
    return WorldProblem(summary, detail, "Put right what is named, then say retry.")


def _of_a_file(found: list[tuple[str, str]]) -> Trouble | None:
    """A file that a node downloaded is another one."""
    for _, detail in found:
        if other := _OTHER_FILE.search(detail):
            return WorldProblem(
                "What was downloaded is another file.",
                f"Its checksum begins with {other[1][:12].lower()}, and {other[2][:12].lower()} was approved. Nothing of it is kept.",
                f"If the publisher has replaced it, or a mirror stands in between: say leave. {_OTHER_IMAGE}",
            )
    return None


def _of_the_record(summary: str, found: list[tuple[str, str]], secrets: tuple[str, ...]) -> Trouble | None:
    """What is wrong with the record itself: somebody has locked it, or it could not be written in mid-apply."""
    text = "\n".join(f"{title}: {detail}" for title, detail in found)
    if "Failed to persist state to backend" in text:
        # A HEAD has no body, so that 412 is all that is said: "unexpected status 412 (412 Precondition Failed) with EOF".
        lost = bool(re.search(r"\b412\b|LeaseLost|LeaseNotPresent|LeaseIdM", text))
        why = "somebody broke the lock on it meanwhile" if lost else f"it was refused: {_sentence(*found[0], secrets)}"
        return WorldProblem(
            summary,
            f"The record of what exists could not be written to where it is kept, since {why.rstrip('.')}. "
            "Nothing is lost: Terraform kept it in errored.tfstate, in the folder of the part.",
            "Look who works on the same record. Then say retry: it is put back before anything else is done.",
            retryable=True,
        )
    lock = lock_of(text) if "state lock" in text else None
    if lock is None:
        return None
    who, doing = theirs(plain(lock.who, secrets), 100), theirs(plain(lock.operation.removeprefix("OperationType").lower()), 40)
    breaking = (
        f" If nobody works there any more, type `terraform force-unlock {lock.id}` in the folder of the part." if lock.breakable else ""
    )
    return WorldProblem(
        summary,
        f"The record of what exists is locked by {who} since {lock.created:%Y-%m-%d %H:%M} UTC ({doing}).",
        f"Wait until that has ended, then try again.{breaking}",
        retryable=True,
    )


def _sentence(title: str, detail: str, secrets: tuple[str, ...]) -> str:
    of, words = _azures_own(detail) or ("", _FRAME.sub("", f"{title.rstrip('.')}: {detail}" if detail else title))
    words = _TRIES.sub(lambda tried: f"it was tried {tried[1] or '1'} times, and the last answer was: {tried[2].strip()}", words)
    return f"{of}{theirs(plain(words, secrets, LENGTH_MAX), DETAIL_LENGTH_MAX)}."


def _azures_own(detail: str) -> tuple[str, str] | None:
    """(of what Azure said it, what), out of the request and the answer that azapi prints whole; None when it said nothing that can be
    read."""
    code, message = _AZURE_CODE.search(detail), _AZURE_MESSAGE.search(detail)
    if code is None or message is None:
        return None
    try:
        said = " ".join(str(json.loads(message[1])).split())
    except ValueError:
        return None
    resource = _AZURE_RESOURCE.search(detail)
    of = f" of {resource[2]} ({resource[1]})" if resource else ""
    return f"Azure said{of}: ", f"{code[1]}: {said}"
