# %%
import os
import time

kernel = get_ipython().kernel
publish = kernel.iopub_socket.send_multipart
shell = kernel.shell_stream.socket
ident = kernel._parent_ident["shell"]
ident = ident[0] if isinstance(ident, list) else ident
for parts in (
    [b""],
    [b"<IDS|MSG>"],
    [b"<IDS|MSG>", b"", b"{}", b"{}", b"{}", b"{}"],
    [b"<IDS|MSG>", b"x" * 64, b"[]", b"7", b"null", b"{"],
    [b"a"] * 50,
    [os.urandom(100_000)],
    [b"<IDS|MSG>", b"", b"[" * 100_000, b"{}", b"{}", b"{}"],
):
    for i in range(20):
        publish(parts)
        shell.send_multipart([ident, *parts])

# %%
session = kernel.session
parent = kernel.get_parent("shell")
for text in (b"[]", b"7", b"null", b'{"a": 1}', b"{", b'"' + b"\xff" * 100 + b'"', b"1" * 5000, b"[" * 5000 + b"]" * 5000):
    header = session.msg_header("stream")
    for i in range(4):
        packed = [session.pack(header), session.pack(parent["header"]), b"{}", b"{}"]
        packed[i] = text
        publish([b"<IDS|MSG>", session.sign(packed), *packed])
time.sleep(1)
