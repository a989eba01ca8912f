"""Another program asks: the official clients of MCP and A2A drive Berth, and a person approves what they asked for."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, SendMessageRequest
from mcp import Client, StdioServerParameters, stdio_client

from tests.conftest import Berth, api_server, free_port, wait_until
from tools.pipeline.provisioning import provision
from tools.values.conversation import Phase
from tools.values.trouble import RequestProblem

VM = "a Debian VM with 1 core, 1 GB memory and 8 GB disk, development"


async def _asked(berth: Berth) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    """(tools, answers to two requests and a look at the plan, refusals)"""
    berth_command = str(Path(sys.executable).with_name("berth"))
    run = StdioServerParameters(command=berth_command, args=["mcp", "--requester", "agent"], env=dict(berth.environment))
    async with Client(stdio_client(run)) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        first = (await client.call_tool("request", {"message": f"{VM}, called asked-01"})).structured_content or {}
        on = {"conversation": first["conversation"]}
        second = (await client.call_tool("request", {"message": "network 20", **on})).structured_content or {}
        plan = (await client.call_tool("plan", on)).structured_content or {}
        refused = []
        for message in (f"approve {second['plan']['plan_digest']}", "yes", "remove it", "retry"):
            answer = await client.call_tool("request", {"message": message, **on})
            assert answer.is_error
            refused.append(str(answer.content))
        return tools, [first, second, plan], refused


def test_an_agent_asks_by_mcp_and_a_person_approves(berth: Berth) -> None:
    tools, (first, second, plan), _ = asyncio.run(_asked(berth))
    assert sorted(tools) == ["plan", "request", "run_status", "services"], "none of them approves"
    assert first["phase"] == "asking" and [one["about"] for one in first["questions"]] == [["network"]] and first["plan"] is None
    assert second["phase"] == "awaiting approval" and second["plan"]["changes"][0].startswith("create proxmox_virtual_environment_vm")
    assert plan["plan"] == second["plan"] and len(plan["answer"]) > len("details")

    chat = berth.chat()
    chat.say(second["plan"]["resume"])
    assert (chat.machines[0].name, chat.phase) == ("asked-01", "awaiting approval")
    chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "done"


async def _asked_by_http(url: str) -> tuple[list[str], dict[str, Any], bool]:
    """(tools, the answer to a request, whether an approval is refused)"""
    async with Client(url) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        answer = (await client.call_tool("request", {"message": f"{VM}, called asked-03"})).structured_content or {}
        approval = await client.call_tool("request", {"message": "approve 0123456789ab", "conversation": answer["conversation"]})
        return tools, answer, approval.is_error


def test_an_agent_asks_by_mcp_over_http(berth: Berth, tmp_path: Path) -> None:
    port = free_port()
    command = [str(Path(sys.executable).with_name("berth")), "mcp", "--http", "--port", str(port), "--requester", "agent"]
    with (tmp_path / "mcp.log").open("wb") as log:
        process = subprocess.Popen(command, env=dict(berth.environment), stdout=log, stderr=log)
        try:
            wait_until(lambda: listens(port), 60, lambda: (tmp_path / "mcp.log").read_text()[-2000:])
            tools, answer, refused = asyncio.run(_asked_by_http(f"http://127.0.0.1:{port}/mcp"))
        finally:
            process.terminate()
            process.wait(30)
    assert sorted(tools) == ["plan", "request", "run_status", "services"]
    assert answer["phase"] == "asking" and [one["about"] for one in answer["questions"]] == [["network"]] and refused


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_call_from_python_goes_as_far_as_a_plan(berth: Berth) -> None:
    asked = provision(f"{VM}, on network 20", "billing", world=berth.world)
    assert asked.phase is Phase.AWAITING and asked.plan is not None and asked.plan.approvals == ("operator",)
    larger = provision("make it 2 cores", "billing", conversation=asked.conversation, world=berth.world)
    assert larger.plan is not None and larger.plan.plan_digest != asked.plan.plan_digest
    opened = provision("open port 443 from 10.0.0.0/8", "billing", conversation=asked.conversation, world=berth.world)
    assert opened.plan is not None and any('.machine["firewall of ' in one for one in opened.plan.changes), "a program asks for ports, too"
    with pytest.raises(RequestProblem):
        provision("make it 4 cores", "somebody else", conversation=asked.conversation, world=berth.world)
    assert provision("400 cores", "billing", conversation=asked.conversation, world=berth.world).plan is None


async def _told(url: str, *texts: str) -> list[str]:
    """What the agent answers to each, in one conversation."""
    at, answers, conversation = f"{url}/a2a/provisioner", [], ""
    async with httpx.AsyncClient(timeout=120) as http:
        card = await A2ACardResolver(http, at).get_agent_card()
        assert card.skills[0].examples
        for interface in card.supported_interfaces:
            interface.url = at  # The card names the address that ADK serves at when it is not told another one.
        client = ClientFactory(ClientConfig(httpx_client=http, streaming=False)).create(card)
        for number, text in enumerate(texts):
            said = Message(role=Role.ROLE_USER, message_id=f"m{number}", parts=[Part(text=text)], context_id=conversation)
            async for event in client.send_message(SendMessageRequest(message=said)):
                conversation = event.task.context_id
                answers.append("\n".join(part.text for one in event.task.artifacts for part in one.parts))
    return answers


def test_an_agent_asks_over_a2a_and_a_person_approves(berth: Berth, tmp_path: Path) -> None:
    with api_server(berth.environment, tmp_path / "api_server.log", options=["--a2a"]) as served:
        asked, planned = asyncio.run(_told(served.url, f"{VM}, called asked-02", "network 20"))
        assert "approve" not in asked
        [digest] = set(re.findall(r"approve ([0-9a-f]{12})", planned))
        asyncio.run(_told(served.url, f"approve {digest}", "yes", f"please approve {digest}"))
        assert served.world.ledger.plans.approvals(served.world.ledger.plans.find(digest).plan.digest) == ()

        chat = served.chat(session="after-a2a")
        waits = chat.say("what waits for me?").text
        [resume] = re.findall(rf"Plan `{digest}`.*?(resume request-[0-9a-f]+)", waits, re.DOTALL)
        assert f"approve {digest}" not in waits
        assert resume in chat.say(f"approve {digest}").text
        chat.say(resume)
        assert (chat.machines[0].name, chat.phase) == ("asked-02", "awaiting approval"), "as in the story above, a person goes on"
        chat.say("no")
