"""`proxmox_download_file`: a file that a node fetches from an address. The calls are those of bpg/proxmox's sources (0.111.1:
fwprovider/nodes/resource_download_file.go), read 2026-11-30.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cluster_sim.mirror.provider import Problem
from cluster_sim.mirror.proxmox import devices, schema
from cluster_sim.mirror.proxmox.api import ApiProblem, TaskProblem
from cluster_sim.mirror.proxmox.around import ClusterResource
from cluster_sim.mirror.schema import Values

_EXISTS = "refusing to override existing file"
_KINDS = ("iso", "vztmpl", "import")


class DownloadFile(ClusterResource):
    schema = schema.DOWNLOAD_FILE

    def validate(self, config: Values) -> list[Problem]:
        problems = []
        if isinstance(config["content_type"], str) and config["content_type"] not in _KINDS:
            problems.append(Problem(f"Attribute content_type value must be one of: {list(_KINDS)}", path=("content_type",)))
        if (config["checksum"] is None) != (config["checksum_algorithm"] is None):
            problems.append(Problem('Attributes "checksum" and "checksum_algorithm" must be specified together.', path=("checksum",)))
        return problems

    def create(self, planned: Values, config: Values) -> Values:
        found = self._metadata(planned)
        made = planned | {"file_name": planned["file_name"] if isinstance(planned["file_name"], str) else found["filename"]}
        made["id"] = f"{made['datastore_id']}:{made['content_type']}/{made['file_name']}"
        try:
            self._download(made)
        except (ApiProblem, TaskProblem) as problem:
            said = problem.summary + (f"\n{problem.detail}" if problem.detail else "")
            if _EXISTS not in said:
                self._api().get("/version")
                raise Problem(
                    "Error downloading file from url", f"Could not download file '{made['file_name']}', unexpected error: {said}"
                ) from None
            if not planned["overwrite_unmanaged"]:
                raise Problem(
                    "File already exists in the datastore, it was created outside of Terraform or is managed by another resource.",
                    f"File already exists in the datastore: '{made['file_name']}', error: {said}",
                ) from None
            self.delete(made)
            self._download(made)
        read = self.read(made)
        if read is None:
            raise Problem("Error when reading file from datastore", "file does not exists in datastore")
        return read

    def read(self, state: Values) -> Values | None:
        rows = self._api().get(f"{self._storage(state)}/content", content=state["content_type"])
        row = next((one for one in rows if one["volid"] == state["id"]), None)
        if row is not None and state["overwrite"]:
            self._metadata(state)
        return state | {"size": row["size"]} if row is not None else None

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        return self.read(planned | {"id": prior["id"], "file_name": prior["file_name"]}) or planned

    def delete(self, state: Values) -> None:
        path = f"{self._storage(state)}/content/{quote(state['id'], safe=':')}"
        self._api().run("DELETE", path, "file deletion", {}, seconds_max=state["upload_timeout"] or 600)

    def adopt(self, identifier: str) -> Values:
        node, _, id = identifier.partition("/")
        storage, _, rest = id.partition(":")
        kind, _, name = rest.partition("/")
        if not (node and storage and kind and name):
            raise Problem(
                "Unexpected Import Identifier", "Expected import identifier with format: node_name/datastore_id:content_type/file_name."
            )
        nothing: dict[str, Any] = dict.fromkeys(self.schema.members)
        return nothing | {"node_name": node, "datastore_id": storage, "content_type": kind, "file_name": name, "id": id}

    def _storage(self, values: Values) -> str:
        return f"/nodes/{values['node_name']}/storage/{values['datastore_id']}"

    def _metadata(self, values: Values) -> dict[str, Any]:
        asked = {"url": values["url"], "verify-certificates": devices.flag(values["verify"])}
        return dict(self._api().get(f"/nodes/{values['node_name']}/query-url-metadata", **asked))

    def _download(self, values: Values) -> None:
        form: Values = {"content": values["content_type"], "filename": values["file_name"], "url": values["url"]}
        form["verify-certificates"] = devices.flag(values["verify"])
        said = {"checksum": "checksum", "checksum_algorithm": "checksum-algorithm", "decompression_algorithm": "compression"}
        form |= {key: values[name] for name, key in said.items() if values[name] is not None}
        self._api().run("POST", f"{self._storage(values)}/download-url", "file download", form, seconds_max=values["upload_timeout"])
