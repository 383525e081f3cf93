# %%
kernel = get_ipython().kernel
session = kernel.session
parent = kernel.get_parent("shell")
ident = kernel._parent_ident["shell"]
content = {"status": "error", "ename": ["a"], "evalue": {"b": None}, "traceback": 7}
parts = session.serialize(session.msg("execute_reply", content=content, parent=parent), ident=ident)
kernel.shell_stream.socket.send_multipart(parts)
import time

time.sleep(1)
