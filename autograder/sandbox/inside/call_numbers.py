"""UNTRUSTED GROUND: numbers of system calls. Written by studies/system_calls.py."""

# fmt: off
NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "acct": 163, "add_key": 248, "bpf": 321, "chmod": 90, "chown": 92, "chroot": 161,
        "clone": 56, "clone3": 435, "connect": 42, "delete_module": 176, "fchmod": 91,
        "fchmodat": 268, "fchmodat2": 452, "fchown": 93, "fchownat": 260, "file_setattr": 469,
        "finit_module": 313, "fremovexattr": 199, "fsconfig": 431, "fsetxattr": 190, "fsmount": 432,
        "fsopen": 430, "fspick": 433, "futimesat": 261, "init_module": 175, "io_uring_enter": 426,
        "io_uring_register": 427, "io_uring_setup": 425, "kcmp": 312, "kexec_file_load": 320,
        "kexec_load": 246, "keyctl": 250, "lchown": 94, "lremovexattr": 198, "lsetxattr": 189,
        "memfd_create": 319, "mount": 165, "mount_setattr": 442, "move_mount": 429, "mq_open": 240,
        "msgget": 68, "name_to_handle_at": 303, "open_by_handle_at": 304, "open_tree": 428,
        "perf_event_open": 298, "pidfd_getfd": 438, "pivot_root": 155, "process_mrelease": 448,
        "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101, "reboot": 169,
        "removexattr": 197, "removexattrat": 466, "request_key": 249, "semget": 64, "setns": 308,
        "settimeofday": 164, "setxattr": 188, "setxattrat": 463, "shmget": 29, "socket": 41,
        "swapoff": 168, "swapon": 167, "syslog": 103, "umount2": 166, "unshare": 272,
        "userfaultfd": 323, "utime": 132, "utimensat": 280, "utimes": 235,
    },
    "aarch64": {
        "acct": 89, "add_key": 217, "bpf": 280, "chroot": 51, "clone": 220, "clone3": 435,
        "connect": 203, "delete_module": 106, "fchmod": 52, "fchmodat": 53, "fchmodat2": 452,
        "fchown": 55, "fchownat": 54, "file_setattr": 469, "finit_module": 273, "fremovexattr": 16,
        "fsconfig": 431, "fsetxattr": 7, "fsmount": 432, "fsopen": 430, "fspick": 433,
        "init_module": 105, "io_uring_enter": 426, "io_uring_register": 427, "io_uring_setup": 425,
        "kcmp": 272, "kexec_file_load": 294, "kexec_load": 104, "keyctl": 219, "lremovexattr": 15,
        "lsetxattr": 6, "memfd_create": 279, "mount": 40, "mount_setattr": 442, "move_mount": 429,
        "mq_open": 180, "msgget": 186, "name_to_handle_at": 264, "open_by_handle_at": 265,
        "open_tree": 428, "perf_event_open": 241, "pidfd_getfd": 438, "pivot_root": 41,
        "process_mrelease": 448, "process_vm_readv": 270, "process_vm_writev": 271, "ptrace": 117,
        "reboot": 142, "removexattr": 14, "removexattrat": 466, "request_key": 218, "semget": 190,
        "setns": 268, "settimeofday": 170, "setxattr": 5, "setxattrat": 463, "shmget": 194,
        "socket": 198, "swapoff": 225, "swapon": 224, "syslog": 116, "umount2": 39, "unshare": 97,
        "userfaultfd": 282, "utimensat": 88,
    },
}
