# %%
import ctypes
import os
import resource
import subprocess

libc = ctypes.CDLL(None, use_errno=True)


def refused(name, result):
    assert result != 0, f"could {name}"


refused("unshare users", libc.unshare(0x10000000))
refused("unshare mounts", libc.unshare(0x00020000))
refused("mount", libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
refused("unmount", libc.umount2(b"/proc", 2))
refused("change root", libc.chroot(b"/tmp"))
refused("pivot", libc.syscall(155, b"/tmp", b"/tmp"))
refused("make a device", libc.mknod(b"sda", 0o060600, os.makedev(8, 0)))
refused("become root", libc.setuid(0))
refused("become root", libc.setresuid(0, 0, 0))
refused("load a module", libc.syscall(313, 0, b"", 0))
refused("trace by perf", libc.syscall(298, 0, 0, 0, 0, 0))
refused("take a key", libc.syscall(250, 0, 0, 0, 0, 0))
refused("set the clock", libc.settimeofday(None, None) if os.geteuid() == 0 else 1)
assert libc.syscall(425, 8, 0) == -1, "could make an io_uring"
assert libc.syscall(321, 0, 0, 0) == -1, "could load BPF"

# %%
for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_DATA, resource.RLIMIT_CORE):
    hard = resource.getrlimit(limit)[1]
    try:
        resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        raise AssertionError(f"could raise limit {limit}")
    except (OSError, ValueError):
        pass

# %%
for command in ("sudo -n id", "su -c id", "pkexec id", "mount", "newgrp root", "crontab -l", "at now"):
    result = subprocess.run(command, shell=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert b"uid=0" not in result.stdout, command
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup/cgroup.procs",
             "/sys/fs/cgroup/memory/cgroup.procs", "/proc/sys/vm/drop_caches", "/proc/1/oom_score_adj"):
    try:
        with open(path, "w") as file:
            file.write("1")
    except OSError:
        continue
    raise AssertionError(f"could write {path}")
try:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")
    raise AssertionError("could hide from the end for memory")
except OSError:
    pass
