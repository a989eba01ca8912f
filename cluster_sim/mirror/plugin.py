"""Terraform's plugin protocol 6 around a provider: the handshake, the gRPC server, the schema and every call, as messages.

The generated protocol classes are those of PyPI's `tf`. Its server is not used: it drops calls under way when Terraform asks to
stop, and what those calls had made would be missing from the state.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc, tfplugin_pb2_grpc
from tf.gen import tfplugin_pb2 as pb

from cluster_sim.mirror import planning
from cluster_sim.mirror.provider import DataSource, Problem, Provider, Resource, take_warnings
from cluster_sim.mirror.schema import Attribute, Block, Nested, Values
from cluster_sim.mirror.values import pack, unpack

THREADS_MAX = 64
"""More than anyone's `-parallelism`, so that machines made side by side never wait for one another."""
_PARENT_LOOK_S = 1.0
_SOCKET_FOLDER_CHARACTERS_MAX = 70
_STOP_GRACE_S = 1.0
_WRITE_ONLY = b"\x58\x01"
"""`write_only = true`, field 11 of an attribute: newer than the protocol classes of `tf` 1.2, so appended as it is on the wire.
"""


def serve(provider: Provider, identity: Path) -> None:
    """Serves until Terraform says goodbye, or has gone. `identity` holds the key and certificate of the local connection."""
    # Ctrl-C reaches the whole process group; Terraform decides what it means and tells us with StopProvider.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pem = identity.read_bytes()
    done = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(THREADS_MAX), options=[("grpc.max_receive_message_length", 64 << 20)])
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(Servicer(provider), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(done), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
    with tempfile.TemporaryDirectory(prefix="cluster-sim-", dir=_folder_for_socket()) as folder:
        socket = f"{folder}/plugin.sock"
        server.add_secure_port(f"unix://{socket}", grpc.ssl_server_credentials([(pem, pem)]))
        server.start()
        certificate = base64.b64encode(ssl.PEM_cert_to_DER_cert(_certificate_of(pem.decode()))).decode().rstrip("=")
        print(f"1|6|unix|{socket}|grpc|{certificate}", flush=True)
        parent = os.getppid()
        # A Terraform that was killed says no goodbye: a changed parent is how we see it.
        while not done.wait(_PARENT_LOOK_S) and os.getppid() == parent:
            pass
        provider.stopping.ask()
        server.stop(_STOP_GRACE_S).wait()
    # Without waiting for threads that may sit in a request: nobody is there any more to hear of its answer.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _folder_for_socket() -> str | None:
    """A socket's path is short by law of the kernel; a long TMPDIR would break it."""
    return None if len(tempfile.gettempdir()) < _SOCKET_FOLDER_CHARACTERS_MAX else "/tmp"  # noqa: S108


def _certificate_of(pem: str) -> str:
    return pem[pem.index("-----BEGIN CERTIFICATE-----") :]


class _Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):  # type: ignore[misc]
    def __init__(self, done: threading.Event) -> None:
        self._done = done

    def Shutdown(self, request: Any, context: Any) -> Any:
        context.add_callback(self._done.set)
        return grpc_controller_pb2.Empty()


class _Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):  # type: ignore[misc]
    def StreamStdio(self, request: Any, context: Any) -> Any:
        return iter(())


class Servicer(tfplugin_pb2_grpc.ProviderServicer):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def GetMetadata(self, request: Any, context: Any) -> Any:
        return pb.GetMetadata.Response(
            server_capabilities=_capabilities(),
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self._provider.resources],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self._provider.data_sources],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(block=block_message(self._provider.schema)),
            resource_schemas={
                name: pb.Schema(version=resource.version, block=block_message(resource.schema))
                for name, resource in self._provider.resources.items()
            },
            data_source_schemas={
                name: pb.Schema(block=block_message(source.schema)) for name, source in self._provider.data_sources.items()
            },
            server_capabilities=_capabilities(),
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        config = _read(request.config, self._provider.schema) or {}
        return _answered(lambda: self._provider.configure(config), pb.ConfigureProvider.Response)

    def StopProvider(self, request: Any, context: Any) -> Any:
        self._provider.stopping.ask()
        return pb.StopProvider.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        resource = self._resource(request)
        config = _read(request.config, resource.schema) or {}

        def problems() -> list[Problem]:
            not_simulated = [
                Problem(
                    f"The stand-in provider does not simulate `{'.'.join(step for step in path if isinstance(step, str))}`.",
                    "It stands in for what Berth's own modules use. Remove it, or run this configuration with the released provider.",
                    path=path,
                )
                for path in planning.refused(resource.schema, config)
            ]
            return not_simulated + resource.validate(config)

        return _answered(problems, pb.ValidateResourceConfig.Response, lambda found: {"diagnostics": [_diagnostic(p) for p in found]})

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        # State written by the same schema needs no upgrade; Terraform itself reads the JSON it kept.
        state = json.loads(request.raw_state.json)
        known = self._resource(request).schema.members
        kept = {name: value for name, value in state.items() if name in known}
        return pb.UpgradeResourceState.Response(upgraded_state=pb.DynamicValue(json=json.dumps(kept).encode()))

    def ReadResource(self, request: Any, context: Any) -> Any:
        resource = self._resource(request)
        state = _read(request.current_state, resource.schema)
        return _answered(
            lambda: resource.read(state) if state else None,
            pb.ReadResource.Response,
            lambda new: {"new_state": _written(new, resource.schema), "private": request.private},
        )

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        resource = self._resource(request)
        config, prior = _read(request.config, resource.schema), _read(request.prior_state, resource.schema)
        if config is None:
            return pb.PlanResourceChange.Response(
                planned_state=_written(None, resource.schema),
                planned_private=request.prior_private,
                legacy_type_system=resource.legacy,
            )

        def planned() -> tuple[Values, list[planning.Path]]:
            result = resource.adjust(planning.plan(resource.schema, config, prior), config, prior)
            return result, resource.replacements(result, prior) if prior else []

        return _answered(
            planned,
            pb.PlanResourceChange.Response,
            lambda result: {
                "planned_state": _written(result[0], resource.schema),
                "requires_replace": [_path(path) for path in result[1]],
                "planned_private": request.prior_private,
                "legacy_type_system": resource.legacy,
            },
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        resource = self._resource(request)
        prior, planned = _read(request.prior_state, resource.schema), _read(request.planned_state, resource.schema)
        config = _read(request.config, resource.schema) or {}

        def applied() -> Values | None:
            if planned is None:
                resource.delete(prior or {})
                return None
            return resource.update(prior, planned, config) if prior else resource.create(planned, config)

        def kept(problem: Problem | None) -> Values | None:
            """What Terraform is to remember after a failure: what came into being, or else what was there before."""
            return problem.state if problem and problem.state is not None else prior

        return _answered(
            applied,
            pb.ApplyResourceChange.Response,
            lambda new: {
                "new_state": _written(new, resource.schema),
                "private": request.planned_private,
                "legacy_type_system": resource.legacy,
            },
            lambda problem: {"new_state": _written(kept(problem), resource.schema), "legacy_type_system": resource.legacy},
        )

    def ImportResourceState(self, request: Any, context: Any) -> Any:
        resource = self._resource(request)
        return _answered(
            lambda: resource.adopt(request.id),
            pb.ImportResourceState.Response,
            lambda state: {
                "imported_resources": [
                    pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=_written(state, resource.schema))
                ]
            },
        )

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        source: DataSource = self._provider.data_sources[request.type_name]
        config = _read(request.config, source.schema) or {}
        return _answered(lambda: source.look(config), pb.ReadDataSource.Response, lambda state: {"state": _written(state, source.schema)})

    def GetFunctions(self, request: Any, context: Any) -> Any:
        return pb.GetFunctions.Response()

    def _resource(self, request: Any) -> Resource:
        return self._provider.resources[request.type_name]


def _answered(
    work: Callable[[], Any],
    response: Callable[..., Any],
    fields: Callable[[Any], dict[str, Any]] = lambda _result: {},
    fields_on_problem: Callable[[Problem | None], dict[str, Any]] = lambda _problem: {},
) -> Any:
    """The response to work done, or to the problem it met."""
    try:
        values = fields(work())
        warnings = [_diagnostic(each, pb.Diagnostic.WARNING) for each in take_warnings()]
        return response(**values | {"diagnostics": [*values.get("diagnostics", ()), *warnings]})
    except Problem as problem:
        take_warnings()
        return response(diagnostics=[_diagnostic(problem)], **fields_on_problem(problem))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        ours = Problem("The stand-in provider itself failed.", f"{type(error).__name__}: {error}. Terraform's log has the traceback.")
        return response(diagnostics=[_diagnostic(ours)], **fields_on_problem(None))


def _capabilities() -> Any:
    return pb.ServerCapabilities(get_provider_schema_optional=True)


def _read(value: Any, block: Block) -> Values | None:
    if value.json:
        raise Problem("Terraform sent a value as JSON where the protocol has msgpack.")
    result: Values | None = unpack(value.msgpack, block.object_type) if value.msgpack else None
    return result


def _written(value: Values | None, block: Block) -> Any:
    return pb.DynamicValue(msgpack=pack(value, block.object_type))


def _diagnostic(problem: Problem, severity: int = pb.Diagnostic.ERROR) -> Any:
    return pb.Diagnostic(
        severity=severity,
        summary=problem.summary,
        detail=problem.detail,
        attribute=_path(problem.path) if problem.path else None,
    )


def _path(path: planning.Path) -> Any:
    return pb.AttributePath(
        steps=[
            pb.AttributePath.Step(element_key_int=step) if isinstance(step, int) else pb.AttributePath.Step(attribute_name=step)
            for step in path
        ]
    )


def block_message(block: Block) -> Any:
    attributes, blocks = [], []
    for name, member in block.members.items():
        match member:
            case Attribute():
                attributes.append(_attribute(name, member.flags, type=json.dumps(member.type).encode()))
            case Nested():
                inner = [_attribute(n, m.flags, type=json.dumps(m.type).encode()) for n, m in member.members.items()]
                nesting = getattr(pb.Schema.Object, member.nesting.upper())
                attributes.append(_attribute(name, member.flags, nested_type=pb.Schema.Object(attributes=inner, nesting=nesting)))
            case Block(flags=flags) if flags:
                attributes.append(_attribute(name, flags, type=json.dumps(member.type).encode()))
            case Block():
                nesting = getattr(pb.Schema.NestedBlock, member.nesting.upper())
                blocks.append(
                    pb.Schema.NestedBlock(type_name=name, block=block_message(member), nesting=nesting, max_items=member.items_max)
                )
    return pb.Schema.Block(attributes=attributes, block_types=blocks)


def _attribute(name: str, flags: str, **kind: Any) -> Any:
    message = pb.Schema.Attribute(
        name=name,
        required="R" in flags,
        optional="O" in flags,
        computed="C" in flags,
        sensitive="S" in flags,
        deprecated="D" in flags,
        **kind,
    )
    if "W" in flags:
        message.MergeFromString(_WRITE_ONLY)
    return message
