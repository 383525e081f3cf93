# %%
import os

me = str(os.getpid())
for pid in filter(str.isdigit, os.listdir("/proc")):
    if pid == me:
        continue
    for name in ("environ", "mem", "maps", "fd", "root", "cwd", "auxv", "syscall", "stack"):
        path = f"/proc/{pid}/{name}"
        try:
            if name in ("root", "cwd"):
                os.readlink(path)
            elif name == "fd":
                os.listdir(path)
            else:
                with open(path, "rb") as file:
                    file.read(10)
        except OSError:
            continue
        with open(f"/proc/{pid}/status") as file:
            status = file.read()
        mine = f"\nPPid:\t{me}\n" in status
        assert mine, f"FO" f"UND {path}: {status[:200]}"

# %%
for pid in filter(str.isdigit, os.listdir("/proc")):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        line = file.read()
    assert b"pytest" not in line and b"m5 grade" not in line, f"FO" f"UND {line}"

# %%
open_files = {}
for name in os.listdir("/proc/self/fd"):
    try:
        open_files[name] = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        pass
outside = [path for path in open_files.values() if path.startswith("/") and "/m5-" not in path
           and not path.startswith(("/dev/", "/usr/", "/tmp/", "/proc/", "/sys/"))
           and "site-packages" not in path and not path.startswith("/memfd")]
assert not outside, f"FO" f"UND {outside}"

# %%
names = sorted(os.environ)
secrets = [n for n in names if any(w in n for w in ("TOKEN", "KEY", "SECRET", "PASS", "PYTEST", "GITHUB", "AWS", "SSH", "SUDO"))]
assert not secrets, f"FO" f"UND {secrets}"
assert os.environ["USER"] == "student"
