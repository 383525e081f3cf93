"""UNTRUSTED GROUND: runs in the kernel after the student's last cell.

Executed with ``EXPORTER`` (path of export.py) and ``FOLDER`` in its namespace. Picks the network to
grade, and has it written out:

1. the variable ``model``, if it is a Keras model that has weights;
2. else the network fitted last;
3. else the Keras model that was defined last.
"""

import contextlib
import sys

EXPORTER = globals()["EXPORTER"]
FOLDER = globals()["FOLDER"]


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


def main():
    import keras

    exporter = {"__name__": "export"}
    with open(EXPORTER) as file:
        exec(compile(file.read(), EXPORTER, "exec"), exporter)
    for chosen_by, candidate in candidates():
        if isinstance(candidate, keras.Model) and candidate.built:
            write_claims(candidate)
            history = getattr(getattr(candidate, "history", None), "history", None)
            exporter["export_network"](candidate, FOLDER, chosen_by=chosen_by, history=history)
            return


main()
