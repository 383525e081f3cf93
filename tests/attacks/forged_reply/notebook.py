# %%
kernel = get_ipython().kernel
session = kernel.session
parent = kernel.get_parent("shell")
ident = kernel._parent_ident["shell"]


def forge(kind, content, parent=parent):
    parts = session.serialize(session.msg(kind, content=content, parent=parent), ident=ident)
    kernel.shell_stream.socket.send_multipart(parts)


forge("execute_reply", {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []})
session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
import time

time.sleep(1)
raise RuntimeError("a failure that was hidden")
