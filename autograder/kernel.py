"""A Jupyter kernel in a box, spoken to over Unix sockets.

The messages come from a process that may be hostile, so they are limited in size before they are
received, parsed as JSON alone, and a message that is not as it should be is passed over.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

import zmq
from jupyter_client.session import Session

from autograder.box import Box
from autograder.errors import BoxError

MAX_MESSAGE_BYTES = 32 << 20
"""ZeroMQ drops the connection at a larger one. A page full of figures stays below."""
MAX_QUEUED_MESSAGES = 256
POLL_SECONDS = 0.25
"""How long to wait for a message before looking whether the kernel still lives."""
ASK_AGAIN_SECONDS = 0.2
DEATH_SECONDS = 0.05
"""How long a dying process may still look alive after its connections are gone."""
CHANNELS = {"shell": zmq.DEALER, "iopub": zmq.SUB, "control": zmq.DEALER}
PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from the kernel, as far as it could be understood."""

    channel: str
    kind: str
    parent: str
    content: dict[str, Any]
    size_bytes: int


DROPPED = Message(
    channel="iopub", kind="dropped", parent="", content={}, size_bytes=MAX_MESSAGE_BYTES
)
"""In place of a message that was too large to be received: what was in it nobody knows."""


class KernelDied(Exception):
    """The kernel's process has ended."""


class Kernel:
    """Client of one kernel; the box that it runs in belongs to the caller."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._session = Session(key=uuid.uuid4().hex.encode())
        self._context = zmq.Context()
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._poller = zmq.Poller()
        self._pending: deque[Message] = deque()
        self._monitor: zmq.Socket[bytes] | None = None

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
            link = self._context.socket(kind)
            link.setsockopt(zmq.LINGER, 0)
            link.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
            link.setsockopt(zmq.RCVHWM, MAX_QUEUED_MESSAGES)
            if name == "iopub":
                link.setsockopt(zmq.SUBSCRIBE, b"")
                self._monitor = link.get_monitor_socket(zmq.EVENT_DISCONNECTED)
                self._poller.register(self._monitor, zmq.POLLIN)
            link.connect(f"ipc://{stem}-{PORTS[name]}")
            self._sockets[name] = link
            self._poller.register(link, zmq.POLLIN)

    def wait_until_ready(self, seconds: float) -> None:
        """Ask for the kernel's information until both channels answer.

        Raises
        ------
        BoxError
            If it does not answer in time, or dies: nothing of the student's has run yet.
        """
        deadline = time.monotonic() + seconds
        answered: set[str] = set()
        try:
            while time.monotonic() < deadline:
                # Asked again and again: the first answers on iopub come before we subscribed.
                self._send("shell", "kernel_info_request", {})
                while message := self.receive(time.monotonic() + ASK_AGAIN_SECONDS):
                    answered.add(message.channel)
                    if answered >= {"shell", "iopub"}:
                        return
        except KernelDied:
            pass
        said = " ".join(self._box.stderr[-3:]) or "it said nothing"
        raise BoxError(f"The kernel did not start within {seconds:.0f} s: {said}.")

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
        while not self._pending:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            alive = self._box.is_alive
            ready = dict(self._poller.poll(int(1000 * min(left, POLL_SECONDS))))
            if not ready and not alive:
                raise KernelDied
            if self._monitor in ready and self._was_cut_off():
                self._pending.append(DROPPED)
            for name, link in self._sockets.items():
                if link in ready and (message := self._read(name, link)):
                    self._pending.append(message)
        return self._pending.popleft()

    def _was_cut_off(self) -> bool:
        """Whether a living kernel lost its connection: ZeroMQ's answer to a message too large."""
        assert self._monitor is not None
        self._monitor.recv_multipart(zmq.NOBLOCK)
        time.sleep(DEATH_SECONDS)
        return self._box.is_alive

    def close(self) -> None:
        """Disconnect; the process is the box's affair."""
        if self._monitor is not None:
            self._sockets["iopub"].disable_monitor()
            self._monitor.close(linger=0)
        for link in self._sockets.values():
            link.close(linger=0)
        self._context.term()

    def _send(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        message = self._session.msg(kind, content)
        self._session.send(self._sockets[channel], message)
        identifier: str = message["header"]["msg_id"]
        return identifier

    def _read(self, channel: str, link: zmq.Socket[bytes]) -> Message | None:
        """Read one message; None for what is no message of the protocol."""
        try:
            parts = link.recv_multipart(zmq.NOBLOCK)
            _, signed = self._session.feed_identities(parts)
            message = self._session.deserialize(signed)
            kind, parent = message["msg_type"], message["parent_header"].get("msg_id", "")
            content = message["content"]
        except zmq.Again:
            return None
        except Exception:
            return None
        if not (isinstance(kind, str) and isinstance(parent, str) and isinstance(content, dict)):
            return None
        size = sum(len(part) for part in parts)
        return Message(channel=channel, kind=kind, parent=parent, content=content, size_bytes=size)
