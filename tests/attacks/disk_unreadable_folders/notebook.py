# %%
import os
import time

os.mkdir("closed")
for i in range(32):
    with open(f"closed/{i}", "wb") as file:
        file.write(os.urandom(16 << 20))
    os.chmod(f"closed/{i}", 0)
    if i == 8:
        os.chmod("closed", 0o300)
time.sleep(3)
