"""UNTRUSTED GROUND once it has forked: imports TensorFlow, then forks for each submission.

``zygote.py SOCKET SUBREAPER FOLDER MODULE...`` imports the modules in the working folder FOLDER,
says so over the socket of that number, and is then told over it what to fork, one JSON object a
packet:

    enter        what inside/enter.py is to lock, see there
    environment  the whole environment of the new process
    namespaces   what inside/nest.py is to hide and show, or null for a box without namespaces

With each packet come three descriptors: standard error, the pipe for the status, and a pipe that
is closed when the grader has put the new process where it belongs. The answer is
``{"pid": number}``. Nothing of a submission ever runs in this process; what it forks becomes
UNTRUSTED GROUND once enter.py is done with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import types
import warnings
from typing import Any

MAX_PACKET_BYTES = 1 << 20
LOOK_SECONDS = 0.5
"""Between two looks for children that have ended."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# What ipykernel would set before Keras imports Matplotlib, which looks for it only once.
BACKEND = "module://matplotlib_inline.backend_inline"

Place = tuple[Any, str, bool]
"""An object, its attribute that holds a path, and whether this is a folder."""

libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """As enter.py does, where the parent's number is not known: it lies outside."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def own_descriptors(stderr: int, status: int) -> int:
    """Keep standard error and the status, the latter as number 3; returns 3."""
    null = os.open(os.devnull, os.O_RDWR)
    for number, source in ((0, null), (1, null), (2, stderr), (3, status)):
        os.dup2(source, number)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return 3


def places_with(root: str) -> list[Place]:
    """Where modules hold paths below `root`, which they worked out when they were imported.

    Returns (object, attribute, whether it is a folder), for globals and for what functions
    remember of their last call.
    """
    found: list[Place] = []
    seen: set[str] = set()
    # Modules that are loaded on demand are loaded by being looked at.
    while unseen := [module for name, module in list(sys.modules.items()) if name not in seen]:
        seen.update(sys.modules)
        found += _places_in(unseen, root)
    return found


def _places_in(modules: list[Any], root: str) -> list[Place]:
    found = []
    for module in modules:
        for name, value in list(getattr(module, "__dict__", {}).items()):
            holders = [(module, name)]
            if isinstance(value, types.FunctionType):
                holders = [(cell, "cell_contents") for cell in value.__closure__ or ()]
            for holder, attribute in holders:
                text = getattr(holder, attribute, None)
                if type(text) is str and text.startswith(root):
                    found.append((holder, attribute, os.path.isdir(text)))
    return found


def move(places: list[Place], old: str, new: str) -> None:
    """Have modules believe that they were imported below `new`."""
    for holder, attribute, is_folder in places:
        path = getattr(holder, attribute).replace(old, new, 1)
        setattr(holder, attribute, path)
        if is_folder:
            os.makedirs(path, mode=0o700, exist_ok=True)


def become_box(
    request: dict[str, Any],
    imported: dict[str, Any],
    enter: Any,
    nest: Any,
    settled: int,
    stderr: int,
    status: int,
    go: int,
) -> Any:
    """Lock this process in as `request` says; returns in the one that is to run the program."""
    os.setsid()
    os.read(go, 1)
    where = request["namespaces"]
    if where is not None:
        nest.hide(where)
        if (first := os.fork()) > 0:
            os.write(status, json.dumps({"pid": first}).encode() + b"\n")
            os._exit(0)
        # Not before it is the zygote's child is this one to die with its parent.
        os.read(settled, 1)
        nest.settle(where)
    os.environ.clear()
    os.environ.update(request["environment"] | imported["environment"])
    specification = request["enter"]
    specification["status"] = own_descriptors(stderr, status)
    if where is None:
        specification["parent"] = imported["zygote"]
    layers = enter.enter(specification)
    if where is not None:
        die_with_parent()
    if where is not None and (kernel := os.fork()) > 0:
        # As small as can be: it has nothing more to do than a system's first process.
        os.close(3)
        python = sys.executable
        os.execv(python, [python, "-I", "-S", where["reaper"], str(kernel)])
    # If the grader is gone already, this fails, and with it the process.
    os.write(3, json.dumps(layers).encode() + b"\n")
    os.close(3)
    move(imported["places"], imported["root"], os.path.dirname(os.environ["HOME"]))
    return specification["run"]


def complain(text: str, stderr: int) -> None:
    """Write to standard error, which may have its own number by now, or not yet."""
    for number in (stderr, 2):
        with contextlib.suppress(OSError):
            os.write(number, text.encode())
            return


def reap() -> None:
    """Take leave of children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def serve(link: socket.socket, imported: dict[str, Any], enter: Any, nest: Any) -> Any:
    """Fork until the other end is closed; returns only in a forked process, what it is to run."""
    while True:
        reap()
        if not select.select([link], [], [], LOOK_SECONDS)[0]:
            continue
        packet, descriptors, _, _ = socket.recv_fds(link, MAX_PACKET_BYTES, 3)
        if not packet:
            sys.exit()
        settled, middle_is_gone = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                link.detach()
                os.close(middle_is_gone)
                return become_box(json.loads(packet), imported, enter, nest, settled, *descriptors)
            except BaseException as error:
                complain(f"{type(error).__name__}: {error}\n", descriptors[0])
                os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        link.send(json.dumps({"pid": child}).encode())
        if json.loads(packet)["namespaces"] is not None:
            os.waitpid(child, 0)
        os.close(settled)
        os.close(middle_is_gone)


def main() -> None:
    import enter
    import nest

    del sys.path[0]  # the folder of this file, where those were found
    link = socket.socket(fileno=int(sys.argv[1]))
    libc.prctl(PR_SET_CHILD_SUBREAPER, int(sys.argv[2]), 0, 0, 0)
    before = dict(os.environ)
    os.environ["MPLBACKEND"] = BACKEND
    os.chdir(sys.argv[3])
    for name in sys.argv[4:]:
        importlib.import_module(name)
    root = os.path.dirname(before["HOME"])
    imported = {
        # Libraries leave notes to themselves in the environment.
        "environment": {n: value for n, value in os.environ.items() if before.get(n) != value},
        "root": root,
        "zygote": os.getpid(),
        "places": places_with(root),
    }
    gc.collect()
    gc.freeze()
    link.send(json.dumps({"imported": sys.argv[4:]}).encode())
    with warnings.catch_warnings():
        # Threads that the libraries started are idle, and know how to be forked.
        warnings.simplefilter("ignore", DeprecationWarning)
        run = serve(link, imported, enter, nest)
    gc.unfreeze()
    for name in ("enter", "nest"):
        del sys.modules[name]
    sys.argv = run


if __name__ == "__main__":
    main()
    runpy.run_path(sys.argv[0], run_name="__main__")
