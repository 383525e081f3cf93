# %%
import os
import time
from pathlib import Path

kernel = get_ipython().kernel
for path in (Path(os.environ["HOME"]).parent / "c").iterdir():
    path.unlink()
kernel.shell_stream.socket.close(linger=0)
time.sleep(60)
