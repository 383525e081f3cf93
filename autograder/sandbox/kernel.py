"""A Jupyter kernel in a box, spoken to over Unix sockets.

The messages come from a process that may be hostile, so they are limited in size before they are
received, parsed as JSON alone, and a message that is not as it should be is passed over.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

import zmq
from jupyter_client.session import Session
from zmq.utils.monitor import recv_monitor_message

from autograder.core.errors import BoxError
from autograder.sandbox import TOO_LARGE, CellStatus, Message
from autograder.sandbox.box import Box

POLL_SECONDS = 0.25
"""How long to wait for a message before looking whether the kernel still lives."""
ASK_AGAIN_SECONDS = 0.2
CHANNELS = {"shell": zmq.DEALER, "iopub": zmq.SUB, "control": zmq.DEALER}
PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 5}
MAX_MESSAGE_BYTES = 32 << 20
"""ZeroMQ cuts the connection at a larger one. A page full of figures stays below."""
MAX_QUEUED_MESSAGES = 256
WATCHED = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED
RETRY_MILLISECONDS = 250
"""ZeroMQ notes at once that it will try again; its thread may have to wait for a processor."""
UNREADABLE_ERROR = {
    "ename": "MessageTooLarge",
    "evalue": "The error of this cell was too long to be received.",
}
"""Content of a reply that was too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How the kernel answered one request."""

    status: CellStatus
    content: dict[str, Any]

    @classmethod
    def of(cls, message: Message) -> Reply | None:
        """What a message answers to a request; None where it is no answer."""
        if message.channel == "shell" and message.kind == TOO_LARGE:
            return cls(status=CellStatus.ERROR, content=UNREADABLE_ERROR)
        if message.channel == "shell" and message.kind == "execute_reply":
            failed = message.content.get("status") != "ok"
            status = CellStatus.ERROR if failed else CellStatus.OK
            return cls(status=status, content=message.content if failed else {})
        return None


class KernelDied(Exception):
    """The kernel's process has ended."""


class Channel:
    """One of a kernel's channels: a socket that says when a message was too large to receive.

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


class Kernel:
    """Client of one kernel; the box that it runs in belongs to the caller."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._session = Session(key=uuid.uuid4().hex.encode())
        self._context = zmq.Context()
        self._channels: dict[str, Channel] = {}
        self._poller = zmq.Poller()
        self._pending: deque[Message] = deque()

    def start(self) -> None:
        """Start the kernel in the box and connect to it.

        Raises
        ------
        BoxError
            If the box does not start.
        """
        stem = self._box.scratch.channel / "k"
        connection = {
            "transport": "ipc",
            "ip": str(stem),
            "key": self._session.key.decode(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "",
            **{f"{name}_port": port for name, port in PORTS.items()},
        }
        settings = self._box.scratch.channel / "connection.json"
        settings.write_text(json.dumps(connection))
        settings.chmod(0o444)
        self._box.run("kernel.py", "-f", str(settings))
        for name, kind in CHANNELS.items():
            channel = Channel(
                context=self._context, kind=kind, address=f"ipc://{stem}-{PORTS[name]}"
            )
            self._channels[name] = channel
            self._poller.register(channel.socket, zmq.POLLIN)
            self._poller.register(channel.monitor, zmq.POLLIN)

    def wait_until_ready(self, seconds: float) -> None:
        """Ask for the kernel's information until both channels answer.

        Raises
        ------
        BoxError
            If it does not answer in time, or dies: nothing of the student's has run yet.
        """
        deadline = time.monotonic() + seconds
        answered: set[str] = set()
        how = f"did not start within {seconds:.0f} s"
        try:
            while time.monotonic() < deadline:
                # Asked again and again: the first answers on iopub come before we subscribed.
                self._send("shell", "kernel_info_request", {})
                while message := self.receive(time.monotonic() + ASK_AGAIN_SECONDS):
                    answered.add(message.channel)
                    if answered >= {"shell", "iopub"}:
                        return
        except KernelDied:
            how = "ended before it could be used"
        said = " ".join(self._box.stderr[-3:]) or "it said nothing"
        raise BoxError(f"The kernel {how}: {said}.")

    def execute(self, code: str, *, silent: bool = False) -> str:
        """Ask for a piece of code to be run; returns the id that its answers will carry."""
        return self._send(
            "shell",
            "execute_request",
            {
                "code": code,
                "silent": silent,
                "store_history": not silent,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": False,
            },
        )

    def interrupt(self) -> None:
        """Ask the kernel to raise KeyboardInterrupt in the running cell."""
        self._send("control", "interrupt_request", {})

    def receive(self, deadline: float) -> Message | None:
        """The next message, or None if none came until `deadline` (monotonic seconds).

        Raises
        ------
        KernelDied
            Once the process has ended and all that it had sent has been read.
        """
        channels = self._channels
        while not self._pending:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            alive = self._box.is_alive
            ready = dict(self._poller.poll(int(1000 * min(left, POLL_SECONDS))))
            if not alive and not any(channel.socket in ready for channel in channels.values()):
                raise KernelDied
            for name, channel in channels.items():
                if channel.socket in ready and (message := self._read(name, channel)):
                    self._pending.append(message)
                if channel.monitor in ready and channel.lost_a_message():
                    self._pending.append(_too_large(name))
        return self._pending.popleft()

    def close(self) -> None:
        """Disconnect; the process is the box's affair."""
        for channel in self._channels.values():
            channel.close()
        self._context.term()

    def _send(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        message = self._session.msg(kind, content)
        self._session.send(self._channels[channel].socket, message)
        identifier: str = message["header"]["msg_id"]
        return identifier

    def _read(self, name: str, channel: Channel) -> Message | None:
        """Read one message; None for what is no message of the protocol."""
        if (parts := channel.receive()) is None:
            return None
        try:
            _, signed = self._session.feed_identities(parts)
            message = self._session.deserialize(signed)
            kind, parent = message["msg_type"], message["parent_header"].get("msg_id", "")
            content = message["content"]
        except Exception:
            return None
        if not (isinstance(kind, str) and isinstance(parent, str) and isinstance(content, dict)):
            return None
        size = sum(len(part) for part in parts)
        return Message(channel=name, kind=kind, parent=parent, content=content, size_bytes=size)


def _too_large(channel: str) -> Message:
    return Message(
        channel=channel, kind=TOO_LARGE, parent="", content={}, size_bytes=MAX_MESSAGE_BYTES
    )
