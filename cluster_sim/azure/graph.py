"""Microsoft Graph, as far as people look up who gets a role: groups of the directory, and the login itself. Nothing is written here.

Who has neither a role in the directory nor a permission of Graph is refused: a role in a subscription is none there.
Microsoft Learn, Graph REST API v1.0: "List groups", "Get group", "List servicePrincipals", "directoryObject: getByIds", with the
permissions that each asks for; read 2026-11-30.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.http import Answer, Request, json_answer

_PATH = re.compile(r"/v1\.0/(groups|servicePrincipals|directoryObjects)(?:/([^/]+))?", re.IGNORECASE)
_FILTER = re.compile(
    r"(?:startswith\((?P<begins>displayName),\s*'(?P<beginning>[^']*)'\))"
    r"|(?:(?P<field>displayName|appId)\s+eq\s+'(?P<value>[^']*)')"
    r"|(?:servicePrincipalNames/any\(c:\s*c\s+eq\s+'(?P<app>[^']*)'\))",
    re.IGNORECASE,
)
_DENIED = "Insufficient privileges to complete the operation."

Row = Mapping[str, Any]


def asked(path: str) -> bool:
    return path.lower().startswith("/v1.0/")


def answer(cloud: Cloud, request: Request, path: str) -> Answer:
    found = _PATH.fullmatch(path)
    if found is None:
        return _refuse(501, "NotSimulated", f"cluster_sim does not simulate {request.method} {path}.")
    kind, id_ = found[1].lower(), found[2] or ""
    if not cloud.world.tenant.directory_role:
        return _refuse(403, "Authorization_RequestDenied", _DENIED)
    rows = _rows(cloud)
    if kind == "directoryobjects":
        if request.method != "POST" or id_.lower() != "getbyids":
            return _refuse(501, "NotSimulated", f"cluster_sim does not simulate {request.method} {path}.")
        wanted = {str(one).lower() for one in (request.json or {}).get("ids") or ()}
        return json_answer({"value": [row for row in rows if row["id"].lower() in wanted]})
    of = [row for row in rows if row["@odata.type"].lower() == f"#microsoft.graph.{kind.removesuffix('s')}"]
    if request.method != "GET":
        return _refuse(403, "Authorization_RequestDenied", _DENIED)
    if id_:
        one = next((row for row in of if row["id"].lower() == id_.lower()), None)
        if one is None:
            text = f"Resource '{id_}' does not exist or one of its queried reference-property objects are not present."
            return _refuse(404, "Request_ResourceNotFound", text)
        return json_answer(one)
    text = dict(request.query).get("$filter", "")
    wanted_by = _FILTER.fullmatch(text)
    if text and wanted_by is None:
        return _refuse(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: '{text}'.")
    return json_answer({"value": [row for row in of if wanted_by is None or _fits(row, wanted_by)]})


def _rows(cloud: Cloud) -> list[dict[str, Any]]:
    tenant = cloud.world.tenant
    login = {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": tenant.object_id,
        "appId": tenant.client_id,
        "displayName": f"{tenant.name} automation",
        "servicePrincipalNames": [tenant.client_id],
        "servicePrincipalType": "Application",
    }
    groups = [
        {
            "@odata.type": "#microsoft.graph.group",
            "id": id_,
            "displayName": name,
            "mailNickname": name,
            "mailEnabled": False,
            "securityEnabled": True,
            "groupTypes": [],
        }
        for name, id_ in tenant.groups.items()
    ]
    return [login, *groups]


def _fits(row: Row, wanted: re.Match[str]) -> bool:
    if wanted["begins"]:
        return str(row["displayName"]).lower().startswith(wanted["beginning"].lower())
    if wanted["field"]:
        name = {"displayname": "displayName", "appid": "appId"}[wanted["field"].lower()]
        return str(row.get(name, "")).lower() == wanted["value"].lower()
    return wanted["app"].lower() in [str(one).lower() for one in row.get("servicePrincipalNames") or ()]


def _refuse(status: int, code: str, message: str) -> Answer:
    return json_answer({"error": {"code": code, "message": message}}, status)
