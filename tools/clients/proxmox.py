"""Reads a Proxmox VE cluster through proxmoxer with an API token, over TLS that is always verified. It judges nothing and changes nothing.

What a cluster answers is hostile until tools.rules.machines.seeing has made values of it. Guests' notes and cloud-init user data are never
read out.
"""

from __future__ import annotations

from http.client import HTTPException
from urllib.parse import urlsplit

import requests
from proxmoxer import ProxmoxAPI, ResourceException
from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from urllib3.exceptions import HTTPError

from tools.clients.connections import ProxmoxConnection
from tools.clients.together import Away
from tools.rules.names.foreign import theirs
from tools.rules.names.scanned import Row, rows
from tools.values.trouble import WorldProblem
from tools.values.value import Json

CONNECT_SECONDS_MAX = 5
ANSWER_SECONDS_MAX = 40
"""A cluster gives a silent node 30 s before it answers 596 in its place; we wait a little longer than that."""
READS_MAX = 3
MOVES_MAX = 3
"""How often a machine is looked for anew because it left its node between two calls: a clone onto another node ends so."""


class Proxmox:
    def __init__(self, settings: ProxmoxConnection) -> None:
        chosen = self._token(settings)
        token = chosen.get_secret_value()
        if not settings.proxmox_endpoint or not token:
            raise Away(
                "No Proxmox cluster is connected.",
                "PROXMOX_VE_ENDPOINT and PROXMOX_VE_API_TOKEN are not both set.",
                "Set them as .env.example shows and start again.",
            )
        address = urlsplit(settings.proxmox_endpoint)
        self._setting = "PROXMOX_VE_API_TOKEN" if chosen is settings.proxmox_api_token else "BERTH_SCAN_TOKEN"
        user, _, rest = token.partition("!")
        name, _, secret = rest.partition("=")
        self.endpoint = settings.proxmox_endpoint
        self.token_id = f"{user}!{name}"
        self._ca_file = settings.ca_file
        host = str(address.hostname)
        self._api = ProxmoxAPI(
            f"[{host}]" if ":" in host else host,
            port=address.port or 443,
            user=user,
            token_name=name,
            token_value=secret,
            # A path wins over REQUESTS_CA_BUNDLE of the environment; True leaves the choice to it.
            verify_ssl=str(self._ca_file) if self._ca_file else True,
            timeout=(CONNECT_SECONDS_MAX, ANSWER_SECONDS_MAX),
        )

    def _token(self, settings: ProxmoxConnection) -> SecretStr:
        """The one that may only look, where there is one."""
        return settings.proxmox_scan_token if settings.proxmox_scan_token else settings.proxmox_api_token

    def read(self, *path: str, **parameters: str | int) -> Json:
        """What a GET answers. Raises Away, or WorldProblem when only this cannot be read."""
        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(READS_MAX),
            wait=wait_exponential(multiplier=0.1, max=1),
            reraise=True,
        )
        try:
            answer = retrying(self._api.get, *path, **parameters)
        except ResourceException as error:
            raise self._refused(error, "/".join(path)) from None
        except requests.exceptions.SSLError as error:
            raise self._untrusted(error) from None
        except requests.ConnectTimeout:
            raise self._away(f"did not answer within {CONNECT_SECONDS_MAX} s") from None
        except requests.Timeout:
            raise WorldProblem(
                "The cluster did not answer in time.",
                f"Reading /{'/'.join(path)} took more than {ANSWER_SECONDS_MAX} s.",
                "Look at the node with `pvesh get /cluster/status`, then try again.",
                retryable=True,
            ) from None
        except requests.ConnectionError as error:
            raise self._away(_reason(error)) from None
        except (requests.RequestException, HTTPException, HTTPError, ValueError, KeyError, TypeError):
            raise self.strange("/".join(path)) from None
        if isinstance(answer, dict) and isinstance(answer.get("errors"), bytes):  # how proxmoxer hands on what is no JSON
            raise self.strange("/".join(path))
        return answer

    def find(self, vm_id: int) -> Row | None:
        """The machine's line among the cluster's resources: node, name, status."""
        return next((row for row in rows(self.read("cluster", "resources", type="vm")) if row.get("vmid") == vm_id), None)

    def read_of(self, vm_id: int, *path: str) -> tuple[Row, Json] | None:
        """The machine's line, and what its node answers about it, wherever in the cluster it is by then; None when it is nowhere."""
        for look in range(MOVES_MAX):
            row = self.find(vm_id)
            if row is None:
                return None
            try:
                return row, self.read("nodes", str(row["node"]), str(row.get("type", "qemu")), str(vm_id), *path)
            except WorldProblem:
                again = self.find(vm_id)
                if look + 1 == MOVES_MAX or (again is not None and again["node"] == row["node"]):
                    raise
        return None

    def strange(self, path: str) -> WorldProblem:
        return WorldProblem(
            "The cluster's answer cannot be read.",
            f"/{path} at {self.endpoint} answered with something that is not Proxmox VE.",
            "Check that PROXMOX_VE_ENDPOINT is the address of a Proxmox VE node, with its port (usually 8006).",
        )

    def _refused(self, error: ResourceException, path: str) -> WorldProblem:
        said = theirs(str(error.content))
        if error.status_code == 401:
            return Away(
                "The token was refused.",
                f"{self.endpoint} does not accept the API token {self.token_id}: it does not exist, has expired, or "
                f"its secret is another one.",
                f"Check {self._setting} (user@realm!name=secret). A new token is made on a node with\n"
                f"    pveum user token add {self.token_id.replace('!', ' ')} --privsep 1",
            )
        if error.status_code == 403:
            return WorldProblem(
                "The token may not look at everything.",
                f"/{path} is refused to {self.token_id}: {said}.",
                f"Grant it the right to look, on a node:\n{audit_line(self.token_id)}",
            )
        if error.status_code in (595, 596, 597, 598, 599):
            return WorldProblem(
                "A node is silent.",
                f"The cluster got no answer from it to /{path}: {error.status_code} {said}.",
                "Look at it with `pvecm status` on another node; its guests and disks are left out until it answers.",
                retryable=True,
            )
        return WorldProblem(
            "The cluster answered with an error.",
            f"/{path}: {error.status_code} {said}.",
            "Look at the cluster's log, then try again.",
            retryable=error.status_code >= 500,
        )

    def _untrusted(self, error: requests.exceptions.SSLError) -> Away:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            return self._away("broke off the TLS handshake")
        by = f"the CA file {self._ca_file}" if self._ca_file else "the system's CAs (BERTH_CA_FILE is not set)"
        why = "is for another host name" if "doesn't match" in str(error) or "mismatch" in str(error) else f"is not signed by {by}"
        return Away(
            "The cluster's certificate is not trusted.",
            f"The certificate of {self.endpoint} {why}.",
            "Set BERTH_CA_FILE to the CA of the cluster: on a node it is /etc/pve/pve-root-ca.pem. Verification is never switched off.",
        )

    def _away(self, reason: str) -> Away:
        return Away(
            "The cluster is away.",
            f"{self.endpoint} {reason}.",
            "Check PROXMOX_VE_ENDPOINT and that this machine reaches it, then try again.",
            retryable=True,
        )


def audit_line(token_id: str) -> str:
    return f"    pveum acl modify / --tokens '{token_id}' --roles PVEAuditor"


def _may_pass(error: BaseException) -> bool:
    """A connection that broke off, in the TLS handshake too; an untrusted certificate stays so, and a silence was waited for already."""
    passing = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.Timeout)
    return passing and "CERTIFICATE_VERIFY_FAILED" not in str(error)


def _reason(error: requests.ConnectionError) -> str:
    text = str(error)
    if "Connection refused" in text:
        return "refuses the connection"
    if "Name or service not known" in text or "Failed to resolve" in text or "name resolution" in text:
        return "is a name that cannot be resolved"
    if "No route to host" in text or "unreachable" in text:
        return "cannot be reached from here"
    return "broke off the connection"
