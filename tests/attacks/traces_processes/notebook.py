# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for pid in [os.getppid(), 1, *range(2, 3000)]:
    if pid == os.getpid():
        continue
    assert libc.ptrace(16, pid, None, None) == -1, f"could trace {pid}"
    buffer = ctypes.create_string_buffer(16)

    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]

    here = Vector(ctypes.cast(buffer, ctypes.c_void_p), 16)
    there = Vector(ctypes.c_void_p(0x400000), 16)
    got = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    assert got == -1, f"could read {pid}"
assert libc.ptrace(0, 0, None, None) == -1
