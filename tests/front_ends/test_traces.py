"""A collector of OpenTelemetry sees one trace from the message to Terraform and Ansible, and no word that was typed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from cluster_sim.run import environment
from tests.conftest import api_server, wait_until
from tests.loopback import Answer, Asked, http_server
from tools.clients.log_lines import JsonLines

SENTENCE = "a Debian VM called traced-01 with 1 core, 1 GB memory and 8 GB disk, development, network 20"


@contextmanager
def collector(took: list[bytes]) -> Iterator[str]:
    def answer(asked: Asked) -> Answer:
        assert asked.headers["content-type"] == "application/x-protobuf"
        took.append(asked.body)
        return Answer()

    with http_server(answer) as address:
        yield address


def spans(took: list[bytes]) -> dict[bytes, set[str]]:
    """Names by trace."""
    found: dict[bytes, set[str]] = {}
    for body in list(took):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found.setdefault(span.trace_id, set()).add(span.name)
    return found


def told(address: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{address}/v1/traces", "OTEL_BSP_SCHEDULE_DELAY": "200"}


def test_what_berth_does_for_a_message_is_below_adks_own_spans(tmp_path: Path) -> None:
    took: list[bytes] = []
    with collector(took) as address:
        given = {**os.environ, **told(address), "BERTH_HOME": str(tmp_path / "home")}
        with api_server(given, tmp_path / "log") as berth:
            berth.chat().say("canary-1, what can you do?")
            wanted = {"POST /run", "invoke_agent provisioner", "TellWhatIsKnown"}
            wait_until(lambda: any(wanted <= names for names in spans(took).values()), 30, lambda: str(spans(took)))
    assert b"canary-1" not in b"".join(took)


def test_a_line_of_the_log_names_its_trace() -> None:
    record = logging.LogRecord("berth", logging.INFO, "", 0, "words", None, None)
    assert "trace_id" not in json.loads(JsonLines().format(record))
    with TracerProvider().get_tracer("test").start_as_current_span("step apply") as span:
        assert json.loads(JsonLines().format(record))["trace_id"] == f"{span.get_span_context().trace_id:032x}"


@pytest.mark.systems
def test_one_trace_from_the_message_to_terraform_and_ansible(emulated_cluster: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    ready, folder = emulated_cluster
    took: list[bytes] = []
    with collector(took) as address:
        given = {**environment(ready, folder), **told(address), "BERTH_HOME": str(tmp_path / "home")}
        with api_server(given, tmp_path / "log") as berth:
            chat = berth.chat()
            chat.say(SENTENCE)
            digest = chat.open_digest
            chat.say(f"approve {digest}")
            assert chat.run.status == "done"
            wanted = {"Start", "step apply", "terraform apply", "step configure", "ansible-playbook", "step guide"}
            wait_until(lambda: any(wanted < names for names in spans(took).values()), 30, lambda: str(spans(took)))
            assert any({"compose and review", "terraform plan"} <= names for names in spans(took).values())
    whole = b"".join(took)
    assert not any(word.encode() in whole for word in ("traced-01", "1 GB memory", digest))
