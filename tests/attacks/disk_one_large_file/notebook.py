# %%
import os

with open("large.bin", "wb") as file:
    for i in range(64):
        file.write(os.urandom(16 << 20))

# %%
with open("sparse.bin", "wb") as file:
    file.truncate(1 << 40)
