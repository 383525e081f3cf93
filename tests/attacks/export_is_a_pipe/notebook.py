# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
os.mkfifo(export / "network.json")
os.mkfifo(export / "weights.bin")
