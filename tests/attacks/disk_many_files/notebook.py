# %%
import os
import time

for i in range(64):
    with open(f"part-{i}.bin", "wb") as file:
        file.write(os.urandom(16 << 20))
time.sleep(3)
