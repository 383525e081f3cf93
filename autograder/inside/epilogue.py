"""UNTRUSTED GROUND: runs in the kernel after the student's last cell.

Executed with ``EXPORTER`` (path of export.py) and ``FOLDER`` in its namespace. Picks the network to
grade, and has it written out:

1. the variable ``model``, if it is a Keras model that has weights;
2. else the network fitted last;
3. else the Keras model that was defined last.

A network with code of the student's own is retraced, last of all: that code may raise, exit or
never end, and what was written before is graded then.
"""

import contextlib
import os
import sys

EXPORTER = globals()["EXPORTER"]
FOLDER = globals()["FOLDER"]

NEVER_ENDED = "its call did not come to an end on a symbolic input"


def candidates():
    """Yield (how it was chosen, object), best first."""
    from IPython import get_ipython

    names = get_ipython().user_ns
    yield "the variable model", names.get("model")
    yield "the network fitted last", getattr(sys.modules.get("_activity_m5_memory"), "fitted", None)
    for name, value in reversed(list(names.items())):
        if not name.startswith("_"):
            yield f"the variable {name}", value


def write_claims(model):
    """Write what was noted of the images that `model` was given."""
    from IPython import get_ipython

    memory = sys.modules.get("_activity_m5_memory")
    with contextlib.suppress(Exception):
        memory.write_claims(memory.claims, model, get_ipython().user_ns, FOLDER)


def chosen():
    """The network to grade and how it was chosen, or None."""
    import keras

    for chosen_by, candidate in candidates():
        if isinstance(candidate, keras.Model) and candidate.built:
            return candidate, chosen_by
    return None


def program(name):
    """The names that a program beside export.py defines."""
    path = os.path.join(os.path.dirname(EXPORTER), name)
    names = {"__name__": name.removesuffix(".py"), "__file__": path}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), names)
    return names


def main():
    """Write the network out; where it has code of its own, write what came of retracing it."""
    choice = chosen()
    if choice is None:
        return
    model, chosen_by = choice
    write_claims(model)
    history = getattr(getattr(model, "history", None), "history", None)
    about = {"chosen_by": chosen_by, "history": history}
    export_network, tracing = program("export.py")["export_network"], program("retrace.py")
    has_code = tracing["needs_retracing"](model)
    export_network(model, FOLDER, hindrance=NEVER_ENDED if has_code else "", **about)
    if has_code:
        write_retraced(model, export_network, tracing, about)


def write_retraced(model, export_network, tracing, about):
    """Replace what was written by what `model` comes to once its code has been followed."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            retraced = tracing["retrace"](model)
        except tracing["Hindrance"] as hindrance:
            export_network(model, FOLDER, hindrance=str(hindrance), **about)
        else:
            export_network(model, FOLDER, retraced=retraced, **about)


main()
