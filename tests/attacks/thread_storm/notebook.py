# %%
import threading
import time

threads = []
for i in range(1000):
    threads.append(threading.Thread(target=time.sleep, args=(20,), daemon=True))
    threads[-1].start()
time.sleep(1)
raise AssertionError(f"{len(threads)} threads")
