"""One of a kernel's channels: a socket that says when a message was too large to receive."""

from __future__ import annotations

import contextlib

import zmq
from zmq.utils.monitor import recv_monitor_message

MAX_MESSAGE_BYTES = 32 << 20
"""ZeroMQ cuts the connection at a larger one. A page full of figures stays below."""
MAX_QUEUED_MESSAGES = 256
WATCHED = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED
RETRY_MILLISECONDS = 250
"""ZeroMQ notes at once that it will try again; its thread may have to wait for a processor."""


class Channel:
    """A socket connected to a kernel, and its monitor.

    ZeroMQ does two things when a connection ends. If the other end went away it tries again, and
    its monitor reports that. If a message broke the limit it gives the connection up, silently.
    """

    def __init__(self, *, context: zmq.Context[zmq.Socket[bytes]], kind: int, address: str) -> None:
        self._address = address
        self.socket = context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.socket.setsockopt(zmq.RCVHWM, MAX_QUEUED_MESSAGES)
        if kind == zmq.SUB:
            self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.monitor = self.socket.get_monitor_socket(WATCHED)
        self.socket.connect(address)

    def lost_a_message(self) -> bool:
        """Whether a message was too large; if so the channel is connected anew.

        To be asked when `monitor` has something to read.
        """
        lost = False
        while self.monitor.poll(RETRY_MILLISECONDS if lost else 0):
            lost = recv_monitor_message(self.monitor)["event"] == zmq.EVENT_DISCONNECTED
        if lost:
            # An address that the socket still lists would not be connected to again.
            with contextlib.suppress(zmq.ZMQError):
                self.socket.disconnect(self._address)
            self.socket.connect(self._address)
        return lost

    def receive(self) -> list[bytes] | None:
        """The parts of the next message, or None if there is none."""
        try:
            return self.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def close(self) -> None:
        """Disconnect, and forget what was not yet sent."""
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=0)
