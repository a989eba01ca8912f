"""Berth for agents of any make: an MCP server over `provisioning`. It has four tools, and none of them approves: a person does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from tools.pipeline import provisioning
from tools.pipeline.world import open_world
from tools.values.provisioned import Provisioned, RunSeen, Service
from tools.values.trouble import Trouble

T = TypeVar("T")
INSTRUCTIONS = """Berth turns a sentence into a plan for infrastructure on Proxmox VE or in Azure.
Send the operator's own words to `request`, and answer its questions by calling it again with the conversation.
Hand `plan.resume` to a person: only a person can approve, in Berth."""


def server(requester: str, tenant: str = "") -> MCPServer:
    """Everything it asks for is asked in the name of `requester`, who chose this tenant where they are in several."""
    world = open_world()
    made = MCPServer("berth", instructions=INSTRUCTIONS)

    @made.tool()
    def services() -> list[Service]:
        """Every service that can be asked for, with example sentences."""
        return list(provisioning.services())

    @made.tool()
    def request(message: str, conversation: str = "") -> Provisioned:
        """Ask for infrastructure in plain words, answer a question, or change what was asked for. Nothing is built.

        Give the `conversation` of the last answer to go on with it. The answer holds the request as it was understood, what is to be
        answered, and the plan, if there is one."""
        return _told(lambda: provisioning.provision(message, requester, conversation=conversation, tenant=tenant, world=world))

    @made.tool()
    def plan(conversation: str) -> Provisioned:
        """The request and the plan of a conversation, as they are now."""
        return _told(lambda: provisioning.provision("details", requester, conversation=conversation, tenant=tenant, world=world))

    @made.tool()
    def run_status(run_id: str) -> RunSeen:
        """How far a run is that a person has approved."""
        return _told(lambda: provisioning.status(run_id, provisioning.as_asked_by(requester, world, tenant)))

    return made


def _told(work: Callable[[], T]) -> T:
    """Trouble is a sentence for the model that called."""
    try:
        return work()
    except Trouble as trouble:
        raise ToolError(str(trouble)) from trouble
