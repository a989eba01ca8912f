# Written by Berth, and written again when it configures this machine.
import os
from pathlib import Path

from buildbot_worker.bot import Worker
from twisted.application import service

# Spelled so, because the program looks for these letters.
application = service.Application('buildbot-worker')
password = Path("/etc/buildbot-berth/password").read_text().strip()
Worker("127.0.0.1", 9989, "here", password, os.path.abspath(os.path.dirname(__file__)), 600).setServiceParent(application)
