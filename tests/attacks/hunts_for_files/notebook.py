# %%
import os
from pathlib import Path

import keras

home = Path(os.environ["HOME"]).parent
WANTED = (
    "otter_config.json", "results.json", "grades.csv", "report.json", "executed.ipynb",
    "grading.log", "pipeline.py", "measurement.py", "reflection_1.py", "gradebook.py",
)
found, seen = [], 0
for folder, folders, files in os.walk("/", onerror=lambda error: None):
    if folder.startswith(("/proc", "/sys")):
        folders.clear()
        continue
    for name in files:
        seen += 1
        path = os.path.join(folder, name)
        if name in WANTED or name.endswith((".ipynb", ".npz")):
            if not path.startswith((str(home), "/usr/")) and "site-packages" not in path:
                found.append(path)
print(seen > 1000)

# %%
import numpy as np

readable = []
for path in found:
    try:
        with open(path, "rb") as file:
            file.read(1)
        readable.append(path)
    except OSError:
        pass
# The one that was handed out is no secret: no private image is in it.
handed_out = [path for path in readable if Path(path).name == "mnist.npz"]
for path in handed_out:
    with np.load(path) as data:
        assert np.array_equal(data["x_test"][:5000], data["x_test"][5000:]), "private images"
others = sorted(set(readable) - set(handed_out))
assert not others and len(handed_out) <= 1, f"FO" f"UND {others}"

# %%
for path in ("/root", "/home", "/autograder", "/srv", "/opt", "/mnt", "/media", "/boot",
             "/etc/shadow", "/etc/hostname", "/var/log", "/run", "/var/run/docker.sock",
             "/dev/mem", "/dev/sda", "/proc/kcore", "/proc/1/root", "/proc/1/cwd"):
    try:
        names = os.listdir(path) if os.path.isdir(path) else [open(path, "rb").read(1)]
    except OSError:
        continue
    allowed = {"mnist.npz"}
    # An interpreter in somebody's home needs the folders that lead to it, and nothing else there.
    assert len(names) <= 1, f"FO" f"UND {path} {names}"
