# %%
import os
import time

files = []
for i in range(32):
    file = open("part.bin", "w+b")
    os.unlink("part.bin")
    file.write(os.urandom(16 << 20))
    file.flush()
    files.append(file)
time.sleep(3)
