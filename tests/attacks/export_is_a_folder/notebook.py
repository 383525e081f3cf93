# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
for name in ("network.json", "weights.bin"):
    (export / name).mkdir()
    (export / name / "a").write_text("x")
