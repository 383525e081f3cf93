"""Writes the table of system calls' numbers for the box: ``python -m studies.system_calls``.

They are read from Linux's headers on an x86_64 machine (linux-libc-dev on Debian and Ubuntu): those
of x86_64, and those that newer machines share, aarch64 among them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from autograder.sandbox.inside.enter import NAMES, NEWER

OUTPUT = Path(__file__).resolve().parent.parent / "autograder/sandbox/inside/call_numbers.json"
INCLUDE = Path("/usr/include")
HEADERS = {
    "x86_64": INCLUDE / "x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": INCLUDE / "asm-generic/unistd.h",
}


def numbers(header: str) -> dict[str, int]:
    """The number of each call, by name."""
    found = re.findall(r"^#define __NR_(\w+)\s+(\d+)$", header, re.MULTILINE)
    return {**{name: int(number) for name, number in found}, **NEWER}


def table_of(machines: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The numbers of `NAMES`; a machine may lack some of them."""
    return {
        machine: {name: known[name] for name in sorted(NAMES) if name in known}
        for machine, known in machines.items()
    }


def main() -> None:
    """Write the table."""
    machines = {name: numbers(path.read_text()) for name, path in HEADERS.items()}
    OUTPUT.write_text(json.dumps(table_of(machines), indent=1) + "\n")


if __name__ == "__main__":
    main()
