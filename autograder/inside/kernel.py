"""UNTRUSTED GROUND: becomes the Jupyter kernel. ``kernel.py -f CONNECTION_FILE``.

ipykernel collects what forked children print through a TCP port on 127.0.0.1, which a box does not
have (its socket library ends the whole process when it may not ask for network addresses). Here
the same goes through a Unix socket beside the kernel's others.
"""

import os
import sys

import zmq
from ipykernel import iostream, kernelapp
from zmq.eventloop.zmqstream import ZMQStream

PIPE = "ipc://" + os.path.join(os.path.dirname(sys.argv[-1]), "p")


def setup_pipe_in(self):
    """Listen for the output of forked children."""
    self._pipe_uuid = os.urandom(16)
    pipe = self.socket.context.socket(zmq.PULL)
    pipe.linger = 0
    pipe.bind(PIPE)
    self._pipe_in = ZMQStream(pipe, self.io_loop)
    self._pipe_in.on_recv(self._handle_pipe_msg)


def setup_pipe_out(self):
    """Send output from a forked child; a context must not be used across a fork."""
    context = zmq.Context()
    pipe = context.socket(zmq.PUSH)
    pipe.linger = 3000
    pipe.connect(PIPE)
    return context, pipe


iostream.IOPubThread._setup_pipe_in = setup_pipe_in
iostream.IOPubThread._setup_pipe_out = setup_pipe_out

if __name__ == "__main__":
    kernelapp.launch_new_instance()
