# %%
import os
import signal
import time

children = []
for i in range(10):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        hoard = bytearray(os.urandom(1) * (400 << 20))
        time.sleep(20)
        os._exit(0)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
assert all(codes), "4 GB were had by ten children"
print(codes)
raise MemoryError("some of them were ended")
