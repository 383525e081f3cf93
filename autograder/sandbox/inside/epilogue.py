"""UNTRUSTED GROUND: runs in the kernel after the student's last cell.

Executed with ``EXPORTER`` (path of export.py), ``FOLDER`` and ``RETRACES`` in its namespace,
twice. First it has the network that choosing.py picks written out. The second time a network with
code of the student's own is retraced: that code may raise, exit or never end, so that it has a
request and a time limit to itself, and what was written before is graded then.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

EXPORTER = globals()["EXPORTER"]
FOLDER = globals()["FOLDER"]
RETRACES = globals()["RETRACES"]

NEVER_ENDED = {
    "hindrance": "Code of your own in the network did not come to an end when the grader called "
    "it on a symbolic input.",
    "remedy": "Use layers of Keras's in its place, such as layers.Dense(32).",
}


def write_claims(model: Any, memory: Any, variables: dict[str, Any]) -> None:
    """Write what was noted of the images that `model` was given."""
    with contextlib.suppress(Exception):
        memory.write_claims(memory.claims, model, variables, FOLDER)


def program(name: str) -> Any:
    """The names that a program beside export.py defines."""
    path = os.path.join(os.path.dirname(EXPORTER), name)
    names = {"__name__": name.removesuffix(".py"), "__file__": path}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), names)
    return names


def main() -> None:
    """Write the network out, or what comes of retracing it where it has code of its own."""
    from IPython import get_ipython

    variables, memory = get_ipython().user_ns, sys.modules.get("_activity_m5_memory")
    fitted_last, choosing = getattr(memory, "fitted", None), program("choosing.py")
    model, chosen_by = choosing["choose"](variables, fitted_last)
    if not RETRACES:
        choosing["write_choice"](model, variables, fitted_last, FOLDER)
    if model is None:
        return
    history = getattr(getattr(model, "history", None), "history", None)
    about = {"chosen_by": chosen_by, "history": history}
    export_network, tracing = program("export.py")["export_network"], program("retrace.py")
    has_code = choosing["is_usable"](model) and tracing["needs_retracing"](model)
    if not RETRACES:
        write_claims(model, memory, variables)
        export_network(model, FOLDER, **about, **(NEVER_ENDED if has_code else {}))
    elif has_code:
        write_retraced(model, export_network, tracing, about)


def write_retraced(model: Any, export_network: Any, tracing: Any, about: Any) -> None:
    """Replace what was written by what `model` comes to once its code has been followed."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            retraced = tracing["retrace"](model)
        except tracing["Hindrance"] as error:
            export_network(model, FOLDER, hindrance=str(error), remedy=error.remedy, **about)
        else:
            export_network(model, FOLDER, retraced=retraced, **about)


main()
