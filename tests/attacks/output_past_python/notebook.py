# %%
import os

line = b"z" * 65536
for i in range(1000):
    os.write(2, line)
    os.write(1, line)
print(os.system("head -c 50000000 /dev/zero 1>&2"))
