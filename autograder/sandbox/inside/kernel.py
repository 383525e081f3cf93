"""UNTRUSTED GROUND: becomes the Jupyter kernel. ``kernel.py -f CONNECTION_FILE``.

ipykernel collects what forked children print through a TCP port on 127.0.0.1, which a box does not
have (its socket library ends the whole process when it may not ask for network addresses). Here
the same goes through a pair of sockets that children inherit. Long tracebacks are shortened, and no
output is lost.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from typing import Any

import zmq
from ipykernel import iostream, kernelapp
from IPython.core.interactiveshell import InteractiveShell

MAX_PACKET_BYTES = 1 << 20
KEPT_FRAMES = 15
"""At each end of a long traceback."""


class Packets:
    """The child's end, as ipykernel uses it: made for one message, then closed."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link

    def send_multipart(self, frames: list[Any], *arguments: Any, **options: Any) -> None:
        packet = b"".join(struct.pack("=I", len(frame)) + bytes(frame) for frame in frames)
        # What is too long for a packet is lost: a child's print is not worth more.
        with contextlib.suppress(OSError):
            self.link.send(packet)

    def close(self) -> None:
        pass

    def term(self) -> None:
        pass


def split(packet: bytes) -> Any:
    """The frames of a packet."""
    frames = []
    while packet:
        (size,) = struct.unpack("=I", packet[:4])
        frames.append(packet[4 : 4 + size])
        packet = packet[4 + size :]
    return frames


def setup_pipe_in(self: Any) -> None:
    """Listen for the output of forked children."""
    self._pipe_uuid = os.urandom(16)
    ours, self._children = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)

    def take(link: socket.socket, events: Any) -> None:
        self._handle_pipe_msg(split(link.recv(MAX_PACKET_BYTES)))

    self.io_loop.add_handler(ours, take, self.io_loop.READ)


def setup_pipe_out(self: Any) -> Any:
    """Send output from a forked child."""
    packets = Packets(self._children)
    return packets, packets


def init_iopub(self: Any, context: Any) -> None:
    """As ipykernel's own; what is shown faster than it is read waits, in the box's memory.

    By default a thousand messages wait, and those that come then are lost without a word.
    """
    context.setsockopt(zmq.SNDHWM, 0)  # for the sockets that it makes from now on
    original_init_iopub(self, context)


def shorten(error: BaseException | None) -> None:
    """Cut the middle out of a long traceback, and of those of its causes.

    With TensorFlow imported IPython takes minutes to word the thousand frames of an endless
    recursion, all of them alike.
    """
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = []
        frame = error.__traceback__
        while frame is not None:
            frames.append(frame)
            frame = frame.tb_next
        if len(frames) > 2 * KEPT_FRAMES:
            frames[KEPT_FRAMES - 1].tb_next = frames[-KEPT_FRAMES]
        error = error.__cause__ or error.__context__


def show_traceback(self: Any, exc_tuple: Any = None, *arguments: Any, **options: Any) -> Any:
    """As IPython's own, after the traceback was shortened."""
    shorten(exc_tuple[1] if exc_tuple else sys.exc_info()[1])
    return original_show_traceback(self, exc_tuple, *arguments, **options)


original_init_iopub = kernelapp.IPKernelApp.init_iopub
kernelapp.IPKernelApp.init_iopub = init_iopub
original_show_traceback = InteractiveShell.showtraceback
setattr(InteractiveShell, "showtraceback", show_traceback)  # noqa: B010
iostream.IOPubThread._setup_pipe_in = setup_pipe_in
iostream.IOPubThread._setup_pipe_out = setup_pipe_out

if __name__ == "__main__":
    # Students import modules that they wrote beside the notebook.
    sys.path.insert(0, "")
    kernelapp.launch_new_instance()
