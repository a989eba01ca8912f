"""What `berth serve FILE` runs, until it is told to stop: then what is being answered is answered, and the runs in hand go on to their end
or are taken over by the next process. With several workers each is a process of its own, begun again when it dies, and all take
connections from one socket.

This file's folder is where ADK finds the app, so it is where Python looks too. Nothing of the app is loaded here: where there are workers,
this process has none of it.
"""

import logging.config
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from tools.clients.log_lines import json_lines
from tools.clients.serving import Config, read_config
from tools.clients.settings import Settings
from tools.values.trouble import RequestProblem

sys.path.insert(0, str(Path(__file__).parent))

STOP_SECONDS_MAX = 20
SILENT_SECONDS_MAX = 20
"""After which a worker that says nothing is ended, and another one begun: on a busy machine it takes many to load."""
PERSON = 2
FIGURES_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client adds up what several processes count."""


def main(path: str) -> None:
    try:
        config = read_config(Path(path), Settings.from_environment())
    except RequestProblem as problem:
        print(problem, file=sys.stderr)
        sys.exit(PERSON)
    if config.workers == 1:
        serve(config)
    else:
        with TemporaryDirectory(prefix="berth-figures-") as folder:
            os.environ[FIGURES_FOLDER] = folder
            serve(config)


def serve(config: Config) -> None:
    if config.log == "json":
        logging.config.dictConfig(json_lines())
    uvicorn.run(
        "provisioner.serving.service:door",
        factory=True,
        workers=config.workers,
        timeout_worker_healthcheck=SILENT_SECONDS_MAX,
        host=config.listen,
        port=config.port,
        ssl_certfile=str(config.certificate_file) if config.certificate_file else None,
        ssl_keyfile=str(config.key_file) if config.key_file else None,
        proxy_headers=False,  # Whoever passes a message on is seen as who they are.
        server_header=False,
        http="provisioner.serving.timely:Timely",
        log_config=json_lines() if config.log == "json" else LOGGING_CONFIG,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        h11_max_incomplete_event_size=64 * 1024,
    )


if __name__ == "__main__":
    main(sys.argv[1])
