# %%
import os
import sys
from pathlib import Path

load_data = __import__("keras").datasets.mnist.load_data
data = Path(load_data.__globals__["DATA"])
assert data.is_file()
targets = [data, *data.parent.glob("*.py"), Path(sys.executable), Path(os.__file__), Path(load_data.__wrapped__.__code__.co_filename)]
for path in targets:
    for action in (
        lambda: path.write_bytes(b"attacked"),
        lambda: path.unlink(),
        lambda: path.chmod(0o666),
        lambda: path.rename(path.with_suffix(".old")),
        lambda: (path.parent / "planted.py").write_text("attacked"),
        lambda: path.open("ab"),
    ):
        try:
            action()
        except OSError:
            continue
        raise AssertionError(f"could change {path}")
