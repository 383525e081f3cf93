# %%
import os
import signal
import time

me = os.getpid()
for i in range(9):
    try:
        if os.fork() == 0:
            signal.alarm(20)
            os.setsid()
    except OSError:
        if os.getpid() == me:
            raise
if os.getpid() != me:
    time.sleep(20)
    os._exit(0)
time.sleep(3)
raise AssertionError("512 processes")
