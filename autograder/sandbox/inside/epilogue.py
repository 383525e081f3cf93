"""UNTRUSTED GROUND: runs in the kernel after the student's last cell, and picks what is graded.

Executed with ``EXPORTER`` (path of export.py), ``FOLDER`` and ``RETRACES`` in its namespace,
twice. First it has the network written out that is graded. The second time a network with code of
the student's own is retraced: that code may raise, exit or never end, so that it has a request and
a time limit to itself, and what was written before is graded then. Graded is

1. the variable ``model``, if it is a Keras model that has weights;
2. else the network fitted last;
3. else the Keras model that was defined last.

Beside it, for remarks: what ``model`` is where it is not the one, and which networks were fitted.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any

MOST_NAMES = 10
NAME_LENGTH = 200

NEVER_ENDED = {
    "hindrance": "Code of your own in the network did not come to an end when the grader called "
    "it on a symbolic input.",
    "remedy": "Use layers of Keras's in its place, such as layers.Dense(32).",
}


def is_network(thing: Any) -> bool:
    """Whether it is a Keras model."""
    import keras

    return isinstance(thing, keras.Model)


def is_usable(thing: Any) -> Any:
    """Whether there is something to measure: a Keras model that was built and has weights."""
    try:
        return is_network(thing) and bool(thing.built) and len(thing.weights) > 0
    except Exception:  # a class of the student's may do anything when it is asked
        return False


def choose(variables: dict[str, Any], fitted_last: Any) -> Any:
    """The network and how it was chosen; (None, "") where there is none.

    Parameters
    ----------
    variables
        The notebook's, by name, in the order in which they were made.
    fitted_last
        The network on which ``fit`` was called last, or None.
    """
    candidates = [("the variable model", variables.get("model"))]
    candidates.append(("the network fitted last", fitted_last))
    shown = [(name, value) for name, value in variables.items() if not name.startswith("_")]
    candidates += [(f"the variable {name}", value) for name, value in reversed(shown)]
    for chosen_by, thing in candidates:
        if is_usable(thing):
            return thing, chosen_by
    # Nothing to measure: then it is said of this one why.
    if is_network(variables.get("model")):
        return variables["model"], "the variable model"
    return None, ""


def was_fitted(network: Any, fitted_last: Any) -> bool:
    """Whether ``fit`` was called on it: Keras then leaves it a history, after the first epoch."""
    return network is fitted_last or getattr(network, "history", None) is not None


def describe(chosen: Any, variables: dict[str, Any], fitted_last: Any) -> dict[str, Any]:
    """What ``autograder.network.beside.Choice`` holds."""
    model = variables.get("model")
    if model is chosen and chosen is not None:
        state = "graded"
    elif "model" not in variables:
        state = "missing"
    else:
        state = "empty" if is_network(model) else "no_network"
    names, others = [], []
    for name, thing in variables.items():
        if name.startswith("_") or not is_usable(thing):
            continue
        if thing is chosen:
            names.append(str(name)[:NAME_LENGTH])
        elif was_fitted(thing, fitted_last):
            others.append(str(name)[:NAME_LENGTH])
    return {
        "format": 1,
        "model": state,
        "fitted": chosen is not None and was_fitted(chosen, fitted_last),
        "names": names[:MOST_NAMES],
        "others": others[:MOST_NAMES],
    }


def write_choice(chosen: Any, variables: dict[str, Any], fitted_last: Any, folder: str) -> None:
    """Write it into `folder`; where that fails there are no remarks, and nothing else is lost."""
    try:
        text = json.dumps(describe(chosen, variables, fitted_last))
        with open(os.path.join(folder, "choice.json"), "w") as file:
            file.write(text)
    except Exception:
        pass


def write_claims(model: Any, memory: Any, variables: dict[str, Any], folder: str) -> None:
    """Write what was noted of the images that `model` was given."""
    with contextlib.suppress(Exception):
        memory.write_claims(memory.claims, model, variables, folder)


def program(exporter: str, name: str) -> Any:
    """The names that a program beside export.py defines."""
    path = os.path.join(os.path.dirname(exporter), name)
    names = {"__name__": name.removesuffix(".py"), "__file__": path}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), names)
    return names


def main(exporter: str, folder: str, retraces: bool) -> None:
    """Write the network out, or what comes of retracing it where it has code of its own."""
    from IPython import get_ipython

    variables, memory = get_ipython().user_ns, sys.modules.get("_activity_m5_memory")
    fitted_last = getattr(memory, "fitted", None)
    model, chosen_by = choose(variables, fitted_last)
    if not retraces:
        write_choice(model, variables, fitted_last, folder)
    if model is None:
        return
    history = getattr(getattr(model, "history", None), "history", None)
    tracing, export = program(exporter, "retrace.py"), program(exporter, "export.py")
    write = functools.partial(
        export["export_network"], model, folder, chosen_by=chosen_by, history=history
    )
    has_code = is_usable(model) and tracing["needs_retracing"](model)
    if not retraces:
        write_claims(model, memory, variables, folder)
        write(**(NEVER_ENDED if has_code else {}))
    elif has_code:
        write_retraced(model, write, tracing)


def write_retraced(model: Any, write: Callable[..., None], tracing: Any) -> None:
    """Replace what was written by what `model` comes to once its code has been followed."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            retraced = tracing["retrace"](model)
        except tracing["Hindrance"] as error:
            write(hindrance=str(error), remedy=error.remedy)
        else:
            write(retraced=retraced)


if __name__ == "epilogue":  # as the grader runs it
    main(globals()["EXPORTER"], globals()["FOLDER"], globals()["RETRACES"])
