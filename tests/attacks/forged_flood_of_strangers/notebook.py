# %%
import os
import time

import zmq

kernel = get_ipython().kernel
session = kernel.session
publisher = kernel.iopub_thread.socket
publisher.setsockopt(zmq.SNDHWM, 10)
stranger = session.msg("execute_request")
text = "x" * (20 << 20)
parts = session.serialize(session.msg("stream", {"name": "stdout", "text": text}, parent=stranger))
end = time.time() + 8
sent = 0
while time.time() < end and sent < 200:
    publisher.send_multipart(parts)
    sent += 1
print(sent)
