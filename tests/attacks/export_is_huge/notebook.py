# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
with open(export / "network.json", "wb") as file:
    file.truncate(60 << 20)
with open(export / "weights.bin", "wb") as file:
    file.truncate(60 << 20)
