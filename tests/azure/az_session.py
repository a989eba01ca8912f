"""Run by the Azure CLI's own Python: a command a line, as JSON, and an answer a line. Each is invoked as `az` does it, by a CLI of its
own; what takes `az` most of its time, loading what a command is made of, is done once. Nothing of the repository is imported here."""

from __future__ import annotations

import json
import os
import sys
import tempfile

from azure.cli.core import get_default_cli  # type: ignore[import-not-found]


def invoke(words: list[str]) -> int:
    try:
        return int(get_default_cli().invoke(words) or 0)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            # The file descriptors, as a child has them: the CLI's log keeps the stream that it was begun with.
            for file, descriptor in ((out, 1), (err, 2)):
                os.dup2(file.fileno(), descriptor)
            code = invoke(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            told = []
            for file in (out, err):
                file.seek(0)
                told.append(file.read())
        print(json.dumps([code, *told]), file=answers, flush=True)


if __name__ == "__main__":
    main()
