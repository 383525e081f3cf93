# %%
import os
import site
import sys
from pathlib import Path

BOMB = "import os, sys\nsys.stderr.write('poisoned')\nos._exit(3)\n"
home = Path.home()
plants = {
    home / ".keras/keras.json": '{"floatx": "float16", "backend": "torch", "image_data_format": "channels_first"}',
    home / ".ipython/profile_default/startup/00-bomb.py": BOMB,
    home / ".ipython/profile_default/ipython_config.py": BOMB,
    home / ".jupyter/jupyter_config.py": BOMB,
    home / ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "x"}',
    home / ".config/matplotlib/matplotlibrc": "backend: bomb",
    home / ".bashrc": "exit 3",
    home / ".profile": "exit 3",
    home / ".pydistutils.cfg": "[global]",
    home / ".config/pip/pip.conf": "[global]\nindex-url=http://127.0.0.1",
    Path(site.getusersitepackages()) / "usercustomize.py": BOMB,
    Path(site.getusersitepackages()) / "bomb.pth": "import os; os._exit(3)",
    Path("/tmp/sitecustomize.py"): BOMB,
    Path("/var/tmp/sitecustomize.py"): BOMB,
    Path("/dev/shm/sitecustomize.py"): BOMB,
}
for path, text in plants.items():
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        print(error)
assert len(list(home.rglob("*"))) > 10

# %%
for folder in {*sys.path, sys.prefix, sys.base_prefix, "/etc", "/usr/lib/python3", "/etc/profile.d", "/usr/local/bin"}:
    for name in ("sitecustomize.py", "bomb.pth", "usercustomize.py"):
        path = Path(folder or ".") / name
        try:
            path.write_text(BOMB)
        except OSError:
            continue
        assert str(path.resolve()).startswith((str(home.parent), "/tmp", "/var/tmp", "/dev/shm")), path
os.environ["PYTHONSTARTUP"] = os.environ["PYTHONPATH"] = "/tmp"
