"""UNTRUSTED GROUND: which system calls a box does without. For enter.py; imports nothing of ours.

A classic BPF program over struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]}.
Its offsets are those of struct seccomp_data. The numbers of calls are in call_numbers.json.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable

LOAD, JUMP_EQUAL, JUMP_SET, JUMP_GE, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWTIME | NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET."""

Step = tuple[int, int, int, int]
"""Code, where to jump if true and if false, operand."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of linux/audit.h."""

REFUSED = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("process_mrelease", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot"),
    *("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    *("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module"),
    *("reboot", "swapon", "swapoff", "acct", "settimeofday", "syslog"),
    *("name_to_handle_at", "open_by_handle_at", "shmget", "msgget", "semget", "mq_open"),
)
"""What no honest notebook needs, and what a way out of the box, or memory that no limit sees, would
need."""

MISSING = ("clone3", "memfd_create")
"""Those that programs know how to do without, where Linux lacks them. clone3 hides its flags in
memory that a filter cannot read; the C library then takes clone. Memory behind memfd_create is
nobody's resident memory, so no limit would see it."""

ATTRIBUTES = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "file_setattr"),
    *("setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
    *("removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
)
"""They change modes, owners, times and labels of files."""

NEWER = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
"""Calls that the headers of many distributions lack; the same number on every machine."""

NAMES = {*REFUSED, *MISSING, *ATTRIBUTES, "clone", "connect", "socket"}


def filter_program(name: str, *, same_user: bool, connect: bool) -> list[Step]:
    """The filter for the machine of that name (`platform.machine`).

    A list of (code, jump if true, jump if false, operand); jumps count instructions to skip.
    `same_user` and `connect` are as in enter.py. Raises OSError if there is no table for it.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "call_numbers.json")) as file:
        tables = json.load(file)
    if name not in tables:
        raise OSError(errno.ENOSYS, "no system call table for " + name)
    numbers: dict[str, int] = tables[name]
    refuse = (RETURN, 0, 0, ERRNO | errno.EPERM)
    missing = (RETURN, 0, 0, ERRNO | errno.ENOSYS)
    pretend = (RETURN, 0, 0, ERRNO | 0)
    program: list[Step] = [
        (LOAD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[name]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        # The x32 table of x86_64 would be a way round every number below.
        (JUMP_GE, 0, 1, 0x40000000),
        refuse,
    ]

    def answer(calls: Iterable[str], how: Step) -> None:
        for call in calls:
            program.extend([(JUMP_EQUAL, 0, 1, numbers[call]), how])

    answer(REFUSED, refuse)
    answer(MISSING, missing)
    if not connect:
        # Landlock does not keep a program from the sockets of others, which a desktop has many of.
        answer(["connect"], refuse)
    if same_user:
        # Landlock does not keep an owner from changing modes and times, so that the grader's own
        # files could be. Honest programs change those of their own files: they are told it went
        # well, and do not need it.
        # Older ones, such as chmod, are not there on every machine.
        answer([call for call in ATTRIBUTES if call in numbers], pretend)
    program += [
        (JUMP_EQUAL, 0, 4, numbers["clone"]),
        (LOAD, 0, 0, 16),
        (JUMP_SET, 0, 1, NEW_NAMESPACES),
        refuse,
        (RETURN, 0, 0, ALLOW),
        # Of all sockets only those of the Unix family (1): they need a file or a parent.
        (JUMP_EQUAL, 0, 3, numbers["socket"]),
        (LOAD, 0, 0, 16),
        (JUMP_EQUAL, 1, 0, 1),
        (RETURN, 0, 0, ERRNO | errno.EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
    ]
    return program
