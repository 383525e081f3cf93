# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
root = export.parent
for name in ("export", "c", "home", "work", "tmp", "shm"):
    for action in (
        lambda: os.rename(root / name, root / "moved"),
        lambda: os.rmdir(root / name),
        lambda: os.symlink("/etc", root / f"{name}-2"),
        lambda: os.rename("/tmp", root / name),
        lambda: (root / "planted").write_text("x"),
        lambda: os.chmod(root, 0o777),
    ):
        try:
            action()
        except OSError:
            continue
        raise AssertionError(f"could change {name}")
os.chmod(export, 0)
os.chmod(root / "c", 0)
