"""Is the table of system calls' numbers that of Linux's headers?"""

from __future__ import annotations

import json

import pytest

from autograder.sandbox.inside.enter import ATTRIBUTES, NAMES, filter_program
from studies.system_calls import HEADERS, OUTPUT, numbers, table_of

NUMBERS = json.loads(OUTPUT.read_text())

OLDER = {"chmod", "chown", "lchown", "utime", "utimes", "futimesat"}
"""They are not there on machines younger than x86_64."""


@pytest.mark.parametrize("machine", HEADERS)
def test_the_table_is_that_of_the_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("needs the headers of Linux (linux-libc-dev)")
    known = numbers(HEADERS[machine].read_text())
    assert NUMBERS[machine] == table_of({machine: known})[machine]


def test_no_call_is_without_a_number() -> None:
    assert NUMBERS["x86_64"].keys() == NAMES
    assert NUMBERS["aarch64"].keys() == NAMES - OLDER
    assert set(ATTRIBUTES) > OLDER


@pytest.mark.parametrize("machine", HEADERS)
def test_every_call_is_answered(machine: str) -> None:
    program = filter_program(machine, same_user=True, connect=False)
    assert set(NUMBERS[machine].values()) <= {step[3] for step in program}


def test_an_unknown_machine_has_no_filter() -> None:
    with pytest.raises(OSError, match="no system call table for riscv64"):
        filter_program("riscv64", same_user=True, connect=False)
