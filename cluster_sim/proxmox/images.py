"""Files that arrive from an address on the internet, and what is in a cloud image. Nothing is fetched: an image is known by its file's
name, and its checksum is what is expected, unless the world says of its address that it is another.

Sizes are the virtual ones of the publishers' images. AlmaLinux puts the guest agent into its own (AlmaLinux/cloud-images, bac09d6,
GENCLOUD_TEST.md: `rpm -q qemu-guest-agent`); Debian and Ubuntu do not, and of Rocky Linux's it is not known. Read 2026-11-30.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .call import Call
from .errors import TaskFailed, failed, forbidden
from .state import WebAddress

IMPORTABLE = re.compile(r"[a-zA-Z0-9\-.+=_]+\.(ova|qcow2|raw|vmdk)")
"""UPLOAD_IMPORT_EXT_RE_1 behind SAFE_CHAR_CLASS_RE (pve-storage 0c56bad, 2026-07-24)."""


@dataclass(frozen=True)
class Image:
    default_user: str
    agent: bool
    """The guest agent is in it."""
    disk_gib: float


_IMAGES = (
    (re.compile("debian", re.IGNORECASE), Image("debian", False, 3)),
    (re.compile("ubuntu|server-cloudimg", re.IGNORECASE), Image("ubuntu", False, 3.5)),
    (re.compile("rocky", re.IGNORECASE), Image("rocky", False, 10)),
    (re.compile("alma", re.IGNORECASE), Image("almalinux", True, 10)),
)
_OTHER = Image("root", False, 2)


def image_of(name: str) -> Image:
    return next((image for pattern, image in _IMAGES if pattern.search(name)), _OTHER)


def require_network(call: Call) -> None:
    """To have the node reach an address: Sys.AccessNetwork on it, or for older roles Sys.Audit and Sys.Modify on / (query_url_metadata of
    pve-manager, download_url of pve-storage 0c56bad, 2026-07-24)."""
    node = f"/nodes/{call.node}"
    if not call.may(node, "Sys.AccessNetwork") and not (call.may("/", "Sys.Audit") and call.may("/", "Sys.Modify")):
        raise forbidden(node, "Sys.AccessNetwork")


def bytes_at(call: Call, url: str) -> int:
    """A file from an address always has the same size. In the words of pve-manager where nothing is there."""
    there = call.cluster.web.get(url, WebAddress())
    if not there.status.startswith("200"):
        raise failed(f"invalid server response: '{there.status}'")
    return 300 * 2**20 + int.from_bytes(call.cluster.chance("url", url)[:4], "big") % 2**28


def check_sum(call: Call, url: str) -> None:
    """As download_file_from_url of pve-common ends: a task that failed."""
    expected = str(call.get("checksum") or "")
    got = call.cluster.web.get(url, WebAddress()).checksum or expected
    if got.lower() != expected.lower():
        raise TaskFailed(f"checksum mismatch: got '{got}' != expect '{expected}'")
