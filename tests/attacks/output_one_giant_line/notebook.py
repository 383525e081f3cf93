# %%
print("x" * (200 << 20))

# %%
import sys

sys.stderr.write("y" * (20 << 20) + "\r" * (2 << 20))
