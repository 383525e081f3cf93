# %%
import os
import signal
import time

made = 0
for i in range(1000):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os.setsid()
        time.sleep(20)
        os._exit(0)
    made += 1
raise AssertionError(f"{made} processes")
