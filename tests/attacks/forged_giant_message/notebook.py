# %%
import time

import zmq

kernel = get_ipython().kernel
publisher = kernel.iopub_thread.socket
publisher.setsockopt(zmq.SNDHWM, 1)
part = bytes(24 << 20)
for i in range(64):
    publisher.send(part, zmq.SNDMORE)
    time.sleep(0.05)
publisher.send(b"end")
time.sleep(2)
