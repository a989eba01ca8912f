"""The whole sequence on one screen. Every stage is silent unless what is next is its own, so one order serves every turn.

ADK 2.13 deprecates SequentialAgent for Workflow; the customer asks for a sequential root agent. Only that warning is silenced,
only here and in refinement/loop.py.
"""

from __future__ import annotations

import warnings

from google.adk.agents import SequentialAgent
from google.adk.apps import App

from tools.values.effects import Follow, Understand, Work

from .chat_validator.listener import ChatValidator
from .chat_validator.reader import MessageReader
from .data_collector.collector import DataCollector
from .handoff.handoff import HandOff
from .manifest_generator.generator import manifest_generator
from .plugins import Integrity, Tokens, Turns
from .refinement.loop import build_loop
from .stage import Stage
from .terminal import Terminal, has_terminal
from .world import integrity_key, warm_up

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*SequentialAgent.*", category=DeprecationWarning)
    root_agent = SequentialAgent(
        name="provisioner",
        description="From a sentence to running, verified infrastructure, after one informed approval.",
        sub_agents=[
            MessageReader(name="reader"),  # what the message is; commands are carried out here
            ChatValidator(),  # Edits: what it changes of the request, in the operator's own words
            HandOff(name="understanding", works=(Understand,)),  # Requirements: typed, or questions
            DataCollector(name="data_collector"),  # Snapshot and Offer
            manifest_generator(),  # Proposal: a pick from the offer
            Stage(name="composer", works=(Work.DRAFT,)),  # Manifest and Review
            build_loop(),  # reviewer and refiner, until it is clean
            HandOff(name="planner", works=(Work.PLAN,)),  # Plan: terraform's own
            HandOff(name="runner", works=(Follow,)),  # Run and Receipt, after the approval
        ],
    )

app = App(
    name="provisioner",
    root_agent=root_agent,
    plugins=[Integrity(integrity_key), Turns(), Tokens(), *([Terminal()] if has_terminal() else [])],
)

warm_up()
