"""What may come in, as one table: every other address is closed. What is taken is made anew from what was checked, so nothing that was not
looked at gets past; and whoever is named in it becomes the person who sent it. Pure: nothing is read or written here.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

APP = "provisioner"
ANYBODY = "user"
"""What ADK's web UI calls whoever sits before it."""
OF_TENANT = ":"
"""Between a tenant and a name in it: neither has one."""
PARTS_MAX = 8
ODD = ("..", "//", "\\", "%")
"""In an address: nothing of ours is called so, and ADK answers some of it with a fault (an artifact `/x`)."""
TITLE_CHARACTERS_MAX = 100
_METADATA = "__session_metadata__"

_OPEN = {
    "GET": re.compile(
        rf"/|/dev-ui(?:/.*)?|/list-apps|/version|/apps/{APP}/app-info|/apps/{APP}/users/[^/]+/sessions(?:/[^/]+(?:/artifacts(?:/.+)?)?)?"
    ),
    "POST": re.compile(rf"/run|/run_sse|/apps/{APP}/users/[^/]+/sessions(?:/[^/]+)?"),
    "DELETE": re.compile(rf"/apps/{APP}/users/[^/]+/sessions/[^/]+"),
}
_USER = re.compile(rf"(/apps/{APP}/users/)([^/]+)(/.*)")
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(_characters(why).decode())
        self.status = status


class User(NamedTuple):
    name: str
    in_adk: str


class Taken(NamedTuple):
    path: str
    body: bytes | None
    """None: there is none."""
    is_message: bool


def take(method: str, path: str, body: bytes, name: str, tenant: str = "") -> Taken:
    """The request as it goes on to ADK, where each tenant has users of its own. Raises Refused."""
    user = User(name, f"{tenant}{OF_TENANT}{name}" if tenant else name)
    method = "GET" if method == "HEAD" else method
    if method not in _OPEN or not _OPEN[method].fullmatch(path) or any(one in path for one in ODD):
        raise Refused(404, "There is nothing at this address.")
    found = _USER.fullmatch(path)
    if found:
        path = f"{found[1]}{_own(found[2], user)}{found[3]}"
    if method != "POST":
        return Taken(path, None, False)
    said = _object(body)
    made = _message(said, user) if path in ("/run", "/run_sse") else _session(said, path)
    return Taken(path, _characters(json.dumps(made, ensure_ascii=False)), path in ("/run", "/run_sse"))


def _characters(text: str) -> bytes:
    """JSON can hold half a surrogate pair, which is no character and can be sent nowhere: it becomes a question mark."""
    return text.encode("utf-8", "replace")


def _own(named: str, user: User) -> str:
    if named not in (ANYBODY, *user):
        raise Refused(404, "No conversations of yours are there.")
    return user.in_adk


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise Refused(400, "The body is no object.")
    return said


def _only(said: dict[str, Any], *names: str) -> None:
    """Whatever else is set is refused by its name: events, state, stateDelta, invocationId and all that ADK may come to take."""
    others = [name for name, value in said.items() if name not in names and value not in (None, False, "", [], {})]
    if others:
        raise Refused(400, f"{', '.join(sorted(others))[:200]} cannot be set by a client.")


def _message(said: dict[str, Any], user: User) -> dict[str, Any]:
    said = {_camel(key): value for key, value in said.items()}
    _only(said, "appName", "userId", "sessionId", "newMessage", "streaming")
    message, session = said.get("newMessage"), said.get("sessionId")
    if said.get("appName", APP) != APP or not isinstance(session, str) or not _SESSION.fullmatch(session):
        raise Refused(400, "A message names the app and its session.")
    if not isinstance(message, dict) or not isinstance(message.get("parts"), list):
        raise Refused(400, "A message has parts.")
    parts = message["parts"]
    if not 0 < len(parts) <= PARTS_MAX or not all(isinstance(one, dict) and isinstance(one.get("text"), str) for one in parts):
        raise Refused(400, "A message is text.")
    for one in parts:
        _only(one, "text")
    return {
        "appName": APP,
        "userId": _own(str(said.get("userId") or ANYBODY), user),
        "sessionId": session,
        "newMessage": {"role": "user", "parts": [{"text": one["text"]} for one in parts]},
        "streaming": said.get("streaming") is True,
    }


def _session(said: dict[str, Any], path: str) -> dict[str, Any]:
    title = _title(said)
    said = {_camel(key): value for key, value in said.items() if key != "state" or not title}
    _only(said, "sessionId")
    session = said.get("sessionId")
    if session is not None and (not isinstance(session, str) or not _SESSION.fullmatch(session)):
        raise Refused(400, "A session's name has letters, digits, points and dashes.")
    last = path.rpartition("/sessions/")[2] if "/sessions/" in path else ""
    if last and not _SESSION.fullmatch(last):
        raise Refused(400, "A session's name has letters, digits, points and dashes.")
    named = {"sessionId": session} if session and not last else {}
    return named | ({"state": {_METADATA: {"displayName": title}}} if title else {})


def _title(said: dict[str, Any]) -> str:
    """The one thing that ADK's web UI sets besides a session's name: what it is called in the list of sessions."""
    match said.get("state"):
        case {"__session_metadata__": {"displayName": str(title), **rest}, **more} if not rest and not more:
            return title[:TITLE_CHARACTERS_MAX]
    return ""


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
