"""The whole sequence on one screen. Every stage is silent until the values it needs exist, so one order serves every turn.

ADK 2.13 deprecates SequentialAgent for Workflow; the customer asks for a sequential root agent. Only that warning is silenced,
only here and in refinement/loop.py.
"""

from __future__ import annotations

import warnings

from google.adk.agents import SequentialAgent
from google.adk.apps import App

from .chat_validator.listener import ChatValidator
from .chat_validator.reader import Reader
from .chat_validator.understanding import Understanding
from .data_collector.collector import DataCollector
from .handoff.planner import Planner
from .handoff.runner import Runner
from .manifest_generator.generator import Composer, ManifestGenerator
from .plugins import Integrity, Turns
from .refinement.loop import build_loop
from .world import integrity_key, warm_up

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*SequentialAgent.*", category=DeprecationWarning)
    root_agent = SequentialAgent(
        name="provisioner",
        description="From a sentence to running, verified infrastructure, after one informed approval.",
        sub_agents=[
            Reader(name="reader"),  # what the message is; commands are answered here
            ChatValidator(),  # Heard: what it says, in the operator's own words
            Understanding(name="understanding"),  # Requirements: typed, or questions
            DataCollector(name="data_collector"),  # Snapshot and Offer
            ManifestGenerator(),  # Proposal: a pick from the offer
            Composer(name="composer"),  # Manifest and Review
            build_loop(),  # reviewer and refiner, until it is clean
            Planner(name="planner"),  # Plan: terraform's own
            Runner(name="runner"),  # Run and Receipt, after the approval
        ],
    )

app = App(
    name="provisioner",
    root_agent=root_agent,
    plugins=[Integrity(integrity_key), Turns()],
)

warm_up()
