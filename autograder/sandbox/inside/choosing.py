"""UNTRUSTED GROUND: picks the network to grade, in the kernel, after the student's last cell.

1. The variable ``model``, if it is a Keras model that has weights;
2. else the network fitted last;
3. else the Keras model that was defined last.

Beside it, for remarks: what ``model`` is where it is not the one, and which networks were fitted.
"""

from __future__ import annotations

import json
import os
from typing import Any

MOST_NAMES = 10
NAME_LENGTH = 200


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
