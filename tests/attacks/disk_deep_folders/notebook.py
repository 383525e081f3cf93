# %%
import os
import time

for i in range(40):
    name = f"{i:03d}" + "d" * 200
    os.mkdir(name)
    os.chdir(name)

# %%
for i in range(32):
    with open(f"part-{i}.bin", "wb") as file:
        file.write(os.urandom(16 << 20))
time.sleep(3)
