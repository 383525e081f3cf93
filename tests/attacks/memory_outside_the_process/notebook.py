# %%
import mmap
import os

try:
    handle = os.memfd_create("hoard")
except OSError as error:
    print("no memory files:", error)
else:
    for i in range(256):
        os.write(handle, b"x" * (16 << 20))
    raise AssertionError("4 GB behind a descriptor")

# %%
shared = []
for i in range(256):
    part = mmap.mmap(-1, 16 << 20)
    part.write(b"x" * (16 << 20))
    shared.append(part)

# %%
for i in range(64):
    with open(f"/dev/shm/{i}", "wb") as file:
        file.write(b"x" * (32 << 20))
