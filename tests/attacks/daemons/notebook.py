# %%
import os
import subprocess
import sys
import time

for i in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            os.closerange(0, 256)
            time.sleep(60)
        os._exit(0)
subprocess.Popen(["nohup", "setsid", "sleep", "60"])
subprocess.Popen(["sh", "-c", "trap '' HUP INT TERM; (sleep 60 &) ; sleep 60"])
subprocess.Popen([sys.executable, "-c", "import signal, time\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(60)"])
time.sleep(0.5)
