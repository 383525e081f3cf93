"""UNTRUSTED GROUND: the first program in the box. Imports nothing of ours.

``python -s enter.py SPEC`` locks the process that it runs in, for good and for all its children,
and then runs a program in that same process. SPEC is a JSON object:

    limits      {"FSIZE": bytes, "NPROC": count, "DATA": bytes, ...} as in resource.RLIMIT_*
    uid         user and group id to become, or null
    read        paths that may be read and executed
    write       paths that may be written
    landlock    whether to ask the kernel for Landlock
    seccomp     whether to ask the kernel for a system call filter
    same_user   whether the box runs as the grader's own user, with the grader's files in reach
    connect     whether it may connect to sockets that it finds in the file system
    parent      process id of the grader, for a box that nothing else ends with it, or null
    cwd         working folder
    run         [path of the program, argument, ...]
    status      file descriptor to which to write, as JSON, which layers came about

A layer that the kernel refuses is noted and left out: the grader reads the note, and decides.

Linux is asked for Landlock and seccomp by ctypes: the packages for it are a development release
and one of 2021, and where this runs there is nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import resource
import runpy
import signal
import struct
import sys
from collections.abc import Iterable
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> Any:
    """Turn a negative result of a C call into an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


# ---------------------------------------------------------------------------- resource limits


def set_limits(limits: dict[str, int]) -> None:
    """Set soft and hard limits alike, never above what is already the hard limit."""
    for name, value in limits.items():
        which = getattr(resource, "RLIMIT_" + name, None)
        if which is None:
            continue
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (value, value))


def become(uid: int) -> None:
    """Give up root for good: no groups, no capabilities, no way back."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities() -> None:
    """Root keeps its name alone, and nobody has any to hand on. linux/capability.h, version 3."""
    header = struct.pack("=Ii", 0x20080522, 0)
    checked(libc.capset(header, struct.pack("=6I", 0, 0, 0, 0, 0, 0)))


def end_with(parent: int) -> None:
    """Have the kernel end this process with the grader, be it by SIGKILL; children not.

    Only after `become`, since a change of user takes it back.
    """
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        sys.exit("the grader has ended meanwhile")


# ---------------------------------------------------------------------------- Landlock
# Own calls, since the package on PyPI knows the file system rules alone and neither TCP ports
# (ABI 4) nor signals and abstract sockets (ABI 6). Numbers: linux/landlock.h.

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ_RIGHTS = EXECUTE | READ_FILE | READ_DIR


def lock_landlock(read: list[str], write: list[str]) -> Any:
    """Allow `read` and `write` alone; no TCP, no signals or abstract sockets to the outside."""
    abi = checked(libc.syscall(CREATE_RULESET, None, 0, 1))
    rights = (1 << 13) - 1
    for version, right in ((2, 1 << 13), (3, TRUNCATE), (5, IOCTL_DEV)):
        if abi >= version:
            rights |= right
    tcp = 3 if abi >= 4 else 0
    scoped = 3 if abi >= 6 else 0
    attributes = struct.pack("QQQ", rights, tcp, scoped)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = checked(libc.syscall(CREATE_RULESET, attributes, size, 0))
    for paths, allowed in ((read, READ_RIGHTS), (write, rights)):
        for path in paths:
            try:
                handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            if not os.path.isdir(path):
                allowed_here = allowed & FILE_RIGHTS & rights
            else:
                allowed_here = allowed & rights
            rule = struct.pack("=Qi", allowed_here, handle)
            try:
                checked(libc.syscall(ADD_RULE, ruleset, 1, rule, 0))
            finally:
                os.close(handle)
    checked(libc.syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    return abi


# ---------------------------------------------------------------------------- seccomp
# A classic BPF program over struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]}, whose
# offsets it uses. The numbers of calls are in call_numbers.json.

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
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
    `same_user` and `connect` are as in SPEC. Raises OSError if there is no table for it.
    """
    with open(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "call_numbers.json")
    ) as file:
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


def lock_seccomp(**how: Any) -> None:
    """Install the filter; refused calls fail with an error, as if the kernel lacked them."""
    steps = filter_program(platform.machine(), **how)
    instructions = b"".join(struct.pack("=HBBI", *step) for step in steps)
    memory = ctypes.create_string_buffer(instructions, len(instructions))
    program = struct.pack("@HP", len(instructions) // 8, ctypes.addressof(memory))
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0))


# ---------------------------------------------------------------------------- all together


def enter(spec: dict[str, Any]) -> Any:
    """Lock every layer that the machine offers; return which ones came about."""
    layers = {}
    how = {"same_user": spec["same_user"], "connect": spec["connect"]}
    set_limits(spec["limits"])
    if spec["uid"] is not None:
        become(spec["uid"])
    os.umask(0o077)
    if sys.platform == "linux":
        drop_capabilities()
        if spec["parent"] is not None:
            end_with(spec["parent"])
        checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        for name, wanted, lock in (
            ("landlock", spec["landlock"], lambda: lock_landlock(spec["read"], spec["write"])),
            ("seccomp", spec["seccomp"], lambda: lock_seccomp(**how)),
        ):
            if wanted:
                try:
                    layers[name] = lock() or 1
                except OSError as error:
                    layers[name] = f"refused: {error.strerror}"
    os.chdir(spec["cwd"])
    os.environ["PWD"] = spec["cwd"]
    return layers


def main() -> None:
    del sys.path[0]  # the folder of this file: the student's imports must not find it
    spec = json.loads(sys.argv[1])
    layers = enter(spec)
    os.write(spec["status"], json.dumps(layers).encode())
    os.close(spec["status"])
    sys.argv = spec["run"]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
