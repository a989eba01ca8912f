"""The ARM service: one request in, one answer out.

Login and metadata share its port. Rules for resources are in `changes`; whole-subscription answers in `subscriptions`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cluster_sim.azure import changes, deployments, errors, graph, login, prices, subscriptions, tags
from cluster_sim.azure.addresses import GROUP_TYPE, Address, tidy
from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families import LOCATION_ROUTES
from cluster_sim.azure.kinds import Kind
from cluster_sim.azure.login import Caller
from cluster_sim.azure.store import Operation
from cluster_sim.azure.world import Fault
from cluster_sim.http import Answer, Request, json_answer

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-privatepreview|-alpha|-beta)?", re.IGNORECASE)
_SUBSCRIPTION_PARTS = re.compile(r"/subscriptions(?:/(?P<subscription>[^/]+)(?:/(?P<rest>.*))?)?", re.IGNORECASE)
_LOGIN = re.compile(
    r"/(?P<tenant>[^/]+)/(?P<what>v2\.0/\.well-known/openid-configuration|oauth2/v2\.0/token|oauth2/token|discovery/v2\.0/keys)"
)

EVENTS_KEPT = 500


class Arm:
    """A `Service`: call it with a request."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def __call__(self, request: Request) -> Answer:
        path = tidy(request.path)
        self.cloud.requests.append(f"{request.method} {path}")
        self.cloud.settle()
        strikes = self.cloud.faults.of(request.method, path)
        try:
            answer = self._struck(strikes) or self._answer(request, path, next((f for f in strikes if f.later), None))
        except ArmError as refusal:
            answer = refusal.answer()
        if request.method not in ("GET", "HEAD"):
            self._log(request, path, answer)
            self.cloud.save()
        delay_s = max((f.delay_s for f in strikes), default=0.0)
        body = b"" if request.method == "HEAD" else answer.body
        return replace(
            answer, body=body, delay_s=delay_s, headers={"x-ms-request-id": f"{len(self.cloud.requests):032x}", **answer.headers}
        )

    def _log(self, request: Request, path: str, answer: Answer) -> None:
        """The activity log has writes, deletions and actions, refused ones too; not of who could not be told: it is a subscription's, and
        nobody was let in to it. Azure Monitor, "Azure activity log event schema"."""
        address = self.cloud.address(path)
        if answer.status == 401 or address is None or not address.subscription or self.cloud.kind(address.type) is None:
            return
        verb = {"DELETE": "delete", "POST": f"{address.action}/action"}.get(request.method, "write")
        status = "Failed" if answer.status >= 400 else "Accepted" if answer.status == 202 else "Succeeded"
        now, tenant = self.cloud.now, self.cloud.world.tenant
        said = {
            name: {"value": value, "localizedValue": value}
            for name, value in (("operationName", f"{address.type}/{verb}"), ("status", status))
        }
        row = {
            **said,
            "eventTimestamp": stamp(now),
            "submissionTimestamp": stamp(now),
            "caller": tenant.client_id,
            "category": {"value": "Administrative", "localizedValue": "Administrative"},
            "correlationId": f"{len(self.cloud.requests):032x}",
            "eventDataId": f"{self.cloud.store.next_generation():032x}",
            "level": "Error" if answer.status >= 400 else "Informational",
            "resourceId": address.id,
            "resourceGroupName": address.group,
            "resourceProviderName": {"value": address.namespace, "localizedValue": address.namespace},
            "resourceType": {"value": address.type, "localizedValue": address.type},
            "subStatus": {"value": str(answer.status), "localizedValue": str(answer.status)},
            "subscriptionId": address.subscription,
            "tenantId": tenant.id,
        }
        self.cloud.store.events = [*self.cloud.store.events, row][-EVENTS_KEPT:]

    def _struck(self, strikes: tuple[Fault, ...]) -> Answer | None:
        for fault in strikes:
            if fault.status:
                headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
                return ArmError(fault.status, fault.code, fault.message, headers=headers).answer()
        return None

    def _answer(self, request: Request, path: str, later: Fault | None) -> Answer:
        base = f"https://{request.host}"
        query = dict(request.query)
        tenant, now = self.cloud.world.tenant, self.cloud.now
        if path.lower() == "/metadata/endpoints":
            return login.metadata(base, tenant, query.get("api-version", ""))
        if found := _LOGIN.fullmatch(path):
            if found["what"].endswith("openid-configuration"):
                return login.openid(base, tenant, found["tenant"])
            if found["what"].endswith("token") and request.method == "POST":
                return login.token(request, base, tenant, found["tenant"], now)
            return json_answer({"keys": []})
        if path.lower() == "/api/retail/prices":
            return prices.answer(request)
        try:
            caller = login.read_token(request, tenant, now)
        except login.BadToken as problem:
            challenge = f'Bearer authorization_uri="{base}/{tenant.id}", error="invalid_token", error_description="{problem.message}"'
            raise ArmError(401, problem.code, problem.message, headers={"WWW-Authenticate": challenge}) from None
        if operation := self._operation(path):
            return self._status(operation, path, base)
        if graph.asked(path):
            return graph.answer(self.cloud, request, path)
        version = query.get("api-version", "")
        if not version:
            raise errors.missing_api_version()
        if not _VERSION.fullmatch(version):
            raise errors.invalid_api_version(version)
        return self._about(request, path, caller, later)

    def _about(self, request: Request, path: str, caller: Caller, later: Fault | None) -> Answer:
        if path.lower() == "/tenants" and request.method == "GET":
            return subscriptions.page(subscriptions.tenants(self.cloud), request, self.cloud)
        if found := deployments.answer(self.cloud, request, path, caller):
            return found
        if found := tags.answer(self.cloud, request, path, caller):
            return found
        if found := self._subscription(request, path):
            return found
        if found := self._located(request, path):
            return found
        return self._resource(request, path, caller, later)

    def _subscription(self, request: Request, path: str) -> Answer | None:
        found = _SUBSCRIPTION_PARTS.fullmatch(path)
        if not found:
            return None
        cloud = self.cloud
        if not found["subscription"]:
            return subscriptions.page([subscriptions.show(s, cloud) for s in cloud.world.subscriptions], request, cloud)
        subscription = cloud.subscription(found["subscription"])
        parts = [p for p in (found["rest"] or "").split("/") if p]
        what = [p.lower() for p in parts]
        if request.method == "GET":
            simple: dict[str, Callable[[], Answer]] = {
                "": lambda: json_answer(subscriptions.show(subscription, cloud)),
                "locations": lambda: json_answer({"value": subscriptions.locations(subscription, cloud)}),
                "providers": lambda: subscriptions.page(subscriptions.providers(subscription, cloud), request, cloud),
                "resourcegroups": lambda: subscriptions.groups(subscription, cloud, request),
                "resources": lambda: subscriptions.resources(subscription, cloud, request),
                "tagnames": lambda: subscriptions.tag_names(subscription, cloud, request),
            }
            if "/".join(what) in simple:
                return simple["/".join(what)]()
            if len(what) == 3 and what[0] == "resourcegroups" and what[2] == "resources":
                return subscriptions.resources(subscription, cloud, request, parts[1])
            if len(what) == 2 and what[0] == "providers":
                return json_answer(subscriptions.provider(subscription, cloud, parts[1]))
        if request.method == "POST" and len(what) == 3 and what[0] == "providers" and what[2] in ("register", "unregister"):
            return json_answer(subscriptions.register(subscription, cloud, parts[1], wanted=what[2] == "register"))
        return None

    def _located(self, request: Request, path: str) -> Answer | None:
        """Addresses a provider has beside its resources: usages, SKUs, name checks, deleted things."""
        for method, pattern, handler in LOCATION_ROUTES:
            if request.method == method and (found := pattern.fullmatch(path)):
                words = found.groupdict()
                if "subscription" in words:
                    self.cloud.subscription(words["subscription"])
                if words.get("location") and words["location"].lower() not in self.cloud.world.regions:
                    raise ArmError(
                        400,
                        "NoRegisteredProviderFound",
                        f"No registered resource provider found for location '{words['location']}'.",
                    )
                answer = handler(self.cloud, words, request)
                return answer if isinstance(answer, Answer) else json_answer(answer)
        return None

    def _resource(self, request: Request, path: str, caller: Caller, later: Fault | None) -> Answer:
        cloud = self.cloud
        address = cloud.address(path)
        kind = cloud.kind(address.type) if address else None
        if address is None or kind is None:
            raise errors.not_simulated(request.method, path)
        if address.subscription:
            cloud.subscription(address.subscription)
        if address.collection:
            return self._list(request, address, kind)
        if address.action:
            return self._act(request, address, kind, caller)
        if request.method in ("GET", "HEAD"):
            resource = cloud.find(address.id) or cloud.implied(address.id)
            if resource is None:
                if request.method == "HEAD":
                    return Answer(404)
                raise changes.missing(cloud, address)
            shown, wanted = cloud.show(resource), dict(request.query).get("$expand", "").lower().split(",")
            for name, of in kind.expands.items():
                if name.lower() in wanted:
                    shown["properties"][name] = of(cloud, resource)
            return Answer(204) if request.method == "HEAD" else json_answer(shown)
        error = {"code": later.code, "message": later.message} if later else None
        if request.method in ("PUT", "PATCH"):
            body = _json(request)
            if error and not kind.slow:
                raise ArmError(500, error["code"], error["message"])
            write = changes.put if request.method == "PUT" else changes.patch
            return self._written(request, kind, write(cloud, address, kind, body, caller, later=error))
        if request.method == "DELETE":
            done = changes.delete(cloud, address, kind, caller, later=error)
            if done is None:
                return Answer(204)
            _, operation = done
            return (
                Answer(200)
                if operation is None
                else Answer(202, b"", self._headers(request, operation, verb="delete", group=kind.type == GROUP_TYPE))
            )
        raise errors.not_simulated(request.method, path)

    def _list(self, request: Request, address: Address, kind: Kind) -> Answer:
        cloud = self.cloud
        if request.method != "GET":
            raise errors.not_simulated(request.method, address.id)
        if address.group:
            cloud.group(address.subscription, address.group)
        under = address.scope
        if address.names:
            holder = Address(address.scope, address.type.rsplit("/", 1)[0], address.names)
            if cloud.find(holder.id) is None and cloud.implied(holder.id) is None:
                raise changes.missing(cloud, holder)
            under = holder.id
        found = list(cloud.store.of_type(kind.type, under))
        if kind.singleton and not found and (implied := cloud.implied(f"{under}/{address.segments[-1]}/{kind.singleton}")):
            found = [implied]
        if kind.extends:
            # A list at a scope has what stands on that scope and on those above and below it: role assignments are inherited.
            own = address.scope.lower()
            found = [
                r
                for r in cloud.store.of_type(kind.type)
                if r.key.startswith(own + "/") or own.startswith(r.key.rsplit("/providers/", 1)[0])
            ]
            found = subscriptions.extension_filter(found, request)
        return subscriptions.page([cloud.show(r) for r in found], request, cloud)

    def _act(self, request: Request, address: Address, kind: Kind, caller: Caller) -> Answer:
        action = next((run for name, run in kind.actions.items() if name.lower() == address.action.lower()), None)
        if action is None or request.method not in ("POST", "GET"):
            raise errors.not_simulated(request.method, f"{address.id}/{address.action}")
        resource = self.cloud.find(address.id) or self.cloud.implied(address.id)
        if resource is None:
            raise changes.missing(self.cloud, address)
        if self.cloud.subscription(address.subscription).role == "Reader" and address.action.lower().startswith("list"):
            raise errors.not_authorised(caller.client_id, caller.object_id, f"{kind.type}/{address.action}/action", address.id)
        value = action(self.cloud, resource, _json(request) if request.method == "POST" else None)
        return value if isinstance(value, Answer) else json_answer(value)

    def _written(self, request: Request, kind: Kind, written: changes.Written) -> Answer:
        status = kind.created if written.created else kind.updated
        body = self.cloud.show(written.resource)
        if written.operation is None:
            return json_answer(body, status)
        headers = self._headers(request, written.operation, verb="put", location_only=kind.created == 202)
        if status == 202:
            return Answer(202, b"", headers)
        if kind.created == 202:
            # An update of such a type is done when it is answered.
            written.operation.ends_at_s = self.cloud.now
            self.cloud.settle()
            return json_answer(self.cloud.show(written.resource), status)
        given = json_answer(body, status)
        return Answer(given.status, given.body, {**given.headers, **headers})

    def _headers(
        self, request: Request, operation: Operation, *, verb: str, group: bool = False, location_only: bool = False
    ) -> dict[str, str]:
        at = f"https://{request.host}{operation.path}?api-version={dict(request.query).get('api-version', '')}"
        results = at.replace("/operationStatuses/", "/operationResults/")
        headers = {"Retry-After": str(self.cloud.world.retry_after_s)}
        if group or location_only:
            return headers | {"Location": results}
        return headers | {"Azure-AsyncOperation": at} | ({"Location": results} if verb == "delete" else {})

    def _operation(self, path: str) -> Operation | None:
        found = re.fullmatch(r".*/(operationstatuses|operationresults)/([^/]+)", path, re.IGNORECASE)
        if not found:
            return None
        operation = self.cloud.store.operations.get(found[2])
        if operation is None:
            raise ArmError(404, "OperationNotFound", f"The operation '{found[2]}' could not be found.")
        return operation

    def _status(self, operation: Operation, path: str, base: str) -> Answer:
        wait = {"Retry-After": str(self.cloud.world.retry_after_s)}
        if "/operationresults/" in path.lower():
            if not operation.done:
                return Answer(202, b"", wait | {"Location": f"{base}{path}?api-version=2020-06-01"})
            if operation.error:
                return json_answer({"error": operation.error}, 409)
            resource = self.cloud.store.resources.get(operation.target)
            if operation.verb == "put" and resource is not None:
                return json_answer(self.cloud.show(resource))
            return Answer(200 if operation.path.startswith("/subscriptions/") and "/operationresults/" in operation.path else 204)
        value: dict[str, Any] = {
            "id": operation.path,
            "name": operation.id,
            "status": "InProgress" if not operation.done else "Failed" if operation.error else "Succeeded",
            "startTime": stamp(operation.started_at_s),
        }
        if operation.done:
            value["endTime"] = stamp(operation.ends_at_s)
            if operation.error:
                value["error"] = operation.error
        given = json_answer(value)
        return Answer(200, given.body, {**given.headers, **({} if operation.done else wait)})


def _json(request: Request) -> Any:
    try:
        return request.json
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise errors.invalid_content(f"The body is not JSON: {problem}") from None
