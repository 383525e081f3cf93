# %%
import os
import time

for folder in range(300):
    os.mkdir(f"{folder}")
    for i in range(1000):
        os.mknod(f"{folder}/{i}")
time.sleep(5)
