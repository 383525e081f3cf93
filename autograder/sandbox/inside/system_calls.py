"""UNTRUSTED GROUND: which system calls a box does without. For enter.py; imports nothing of ours.

A classic BPF program over struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]}.
Its offsets are those of struct seccomp_data. Numbers of calls: asm/unistd.h of each machine.
"""

import errno

LOAD, JUMP_EQUAL, JUMP_SET, JUMP_GE, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWTIME | NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET."""

# Same number on every architecture: newer than the tables were unified.
COMMON_REFUSED = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 448)
"""io_uring_*, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_getfd,
mount_setattr, process_mrelease."""

COMMON_ATTRIBUTES = (452, 463, 466, 469)
"""fchmodat2, setxattrat, removexattrat, file_setattr."""

# fmt: off
MACHINES = {
    # In order: ptrace unshare setns mount umount2 pivot_root chroot process_vm_readv
    # process_vm_writev bpf perf_event_open userfaultfd keyctl add_key request_key kexec_load
    # kexec_file_load init_module finit_module delete_module reboot swapon swapoff kcmp
    # name_to_handle_at open_by_handle_at acct settimeofday syslog shmget msgget semget mq_open;
    # attributes: chmod, chown, utime, setxattr, removexattr and their variants.
    "x86_64": {
        "arch": 0xC000003E,
        "socket": 41,
        "clone": 56,
        "clone3": 435,
        "memfd_create": 319,
        "connect": 42,
        "attributes": (90, 91, 268, 92, 93, 94, 260, 132, 235, 261, 280, 188, 189, 190, 197, 198,
            199),
        "refused": (
            101,
            272,
            308,
            165,
            166,
            155,
            161,
            310,
            311,
            321,
            298,
            323,
            250,
            248,
            249,
            246,
            320,
            175,
            313,
            176,
            169,
            167,
            168,
            312,
            303,
            304,
            163,
            164,
            103,
            29,
            68,
            64,
            240,
        ),
    },
    "aarch64": {
        "arch": 0xC00000B7,
        "socket": 198,
        "clone": 220,
        "clone3": 435,
        "memfd_create": 279,
        "connect": 203,
        "attributes": (52, 53, 54, 55, 88, 5, 6, 7, 14, 15, 16),
        "refused": (
            117,
            97,
            268,
            40,
            39,
            41,
            51,
            270,
            271,
            280,
            241,
            282,
            219,
            217,
            218,
            104,
            294,
            105,
            273,
            106,
            142,
            224,
            225,
            272,
            264,
            265,
            89,
            170,
            116,
            194,
            186,
            190,
            180,
        ),
    },
}
# fmt: on


def filter_program(name, *, same_user, connect):
    """The filter for the machine of that name (`platform.machine`).

    A list of (code, jump if true, jump if false, operand); jumps count instructions to skip.
    `same_user` and `connect` are as in enter.py. Raises OSError if there is no table for it.
    """
    machine = MACHINES.get(name)
    if machine is None:
        raise OSError(errno.ENOSYS, "no system call table for " + name)
    refuse = (RETURN, 0, 0, ERRNO | errno.EPERM)
    missing = (RETURN, 0, 0, ERRNO | errno.ENOSYS)
    pretend = (RETURN, 0, 0, ERRNO | 0)
    program = [
        (LOAD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, machine["arch"]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        # The x32 table of x86_64 would be a way round every number below.
        (JUMP_GE, 0, 1, 0x40000000),
        refuse,
    ]
    for number in (*machine["refused"], *COMMON_REFUSED):
        program += [(JUMP_EQUAL, 0, 1, number), refuse]
    # clone3 hides its flags in memory that a filter cannot read; the C library then takes clone.
    # Memory behind memfd_create is nobody's resident memory, so no limit would see it.
    for number in (machine["clone3"], machine["memfd_create"]):
        program += [(JUMP_EQUAL, 0, 1, number), missing]
    if not connect:
        # Landlock does not keep a program from the sockets of others, which a desktop has many of.
        program += [(JUMP_EQUAL, 0, 1, machine["connect"]), refuse]
    if same_user:
        # Landlock does not keep an owner from changing modes and times, so that the grader's own
        # files could be. Honest programs change those of their own files: they are told it went
        # well, and do not need it.
        for number in (*machine["attributes"], *COMMON_ATTRIBUTES):
            program += [(JUMP_EQUAL, 0, 1, number), pretend]
    program += [
        (JUMP_EQUAL, 0, 4, machine["clone"]),
        (LOAD, 0, 0, 16),
        (JUMP_SET, 0, 1, NEW_NAMESPACES),
        refuse,
        (RETURN, 0, 0, ALLOW),
        # Of all sockets only those of the Unix family (1): they need a file or a parent.
        (JUMP_EQUAL, 0, 3, machine["socket"]),
        (LOAD, 0, 0, 16),
        (JUMP_EQUAL, 1, 0, 1),
        (RETURN, 0, 0, ERRNO | errno.EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
    ]
    return program
