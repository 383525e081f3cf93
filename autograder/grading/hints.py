"""One next step for a cell that failed, by what its error says."""

from __future__ import annotations

import re

from autograder.sandbox import CellRun, CellStatus

HINTS: tuple[tuple[str, str, str], ...] = (
    (
        r"StdinNotImplementedError",
        r"",
        "Nobody sits at the keyboard while your notebook is graded: replace `input()` (and magics "
        "that ask, such as `%reset`; use `%reset -f`) by a fixed value.",
    ),
    (
        r"ModuleNotFoundError|ImportError",
        r"np_utils",
        "`np_utils` is gone from Keras 3: use `keras.utils.to_categorical`.",
    ),
    (
        r"ModuleNotFoundError",
        r"keras\.layers\.\w+|keras\.\w+\.normalization",
        "This import path is gone from Keras 3: import layers from `keras.layers` itself, "
        "for example `from keras.layers import BatchNormalization`.",
    ),
    (
        r"ModuleNotFoundError",
        r"google\.colab",
        "`google.colab` exists in Colab alone: delete this cell before you submit; your notebook "
        "needs no files of its own.",
    ),
    (
        r"ModuleNotFoundError",
        r"tensorflow\.examples|tensorflow\.contrib",
        "This is TensorFlow 1: load the digits with `tf.keras.datasets.mnist.load_data()`.",
    ),
    (
        r"ModuleNotFoundError",
        r"No module named",
        "This package is not there when your notebook is graded, and nothing can be downloaded: "
        "do without it (see requirements.txt for what is there).",
    ),
    (
        r"AttributeError",
        r"predict_classes",
        "`predict_classes` is gone from Keras 3: use `model.predict(x).argmax(axis=1)`.",
    ),
    (
        r"TypeError|ValueError",
        r"\blr\b",
        "`lr=` is gone from Keras 3: write `learning_rate=`.",
    ),
    (
        r"AttributeError",
        r"tensorflow.*has no attribute|placeholder|Session",
        "This call is from TensorFlow 1: use the Keras calls that the lesson shows.",
    ),
    (
        r"KeyError",
        r"^['\"]?(val_)?acc['\"]?$",
        "Keras now names this `accuracy` (and `val_accuracy`).",
    ),
    (
        r"InvocationException|ImportError|OSError|AssertionError",
        r"[Gg]raphviz|pydot",
        "Drawing with `plot_model` needs Graphviz, which is not there when your notebook is "
        "graded: use `model.summary()`.",
    ),
    (
        r"AttributeError",
        r"fit_generator|evaluate_generator|predict_generator",
        "The `*_generator` calls are gone from Keras 3: `fit`, `evaluate` and `predict` take "
        "generators themselves.",
    ),
    (
        r"AttributeError|ImportError|ModuleNotFoundError",
        r"ImageDataGenerator|keras\.preprocessing",
        "`ImageDataGenerator` is gone from Keras 3: use layers such as "
        "`keras.layers.RandomRotation`.",
    ),
    (
        r"error",
        r"empty\(\)",
        "OpenCV found no image: only the notebook itself is graded, files beside it on your "
        "computer are not there.",
    ),
    (
        r"error",
        r"imshow|highgui|[Tt]he function is not implemented",
        "There is no screen when your notebook is graded: show images with Matplotlib.",
    ),
    (
        r"UsageError|CommError|ConnectionError|URLError|gaierror|MaxRetryError|\bTimeoutError",
        r"",
        "There is no network when your notebook is graded: leave out what logs in or downloads. "
        "MNIST itself is there, through `keras.datasets.mnist`.",
    ),
    (
        r"Exception",
        r"URL fetch failure",
        "There is no network when your notebook is graded. MNIST itself is there, through "
        "`keras.datasets.mnist.load_data()`.",
    ),
    (
        r"MemoryError|_ArrayMemoryError|ResourceExhaustedError",
        r"",
        "Your notebook asked for more memory than it may have: work in smaller batches, and keep "
        "images as float32.",
    ),
    (
        r"OSError",
        r"File too large|No space left",
        "Your notebook wrote more to disk than it may: save less.",
    ),
    (
        r"FileNotFoundError",
        r"",
        "Only the notebook itself is graded: files beside it on your computer are not there.",
    ),
    (
        r"NameError",
        r"",
        "A name is used before it is defined. Restart the kernel and run all cells from the top: "
        "that is what happens when your notebook is graded.",
    ),
    (
        r"SyntaxError|IndentationError|TabError",
        r"",
        "Python cannot read this cell: run it once, and fix the line that the message points at.",
    ),
    (
        r"SystemExit",
        r"",
        "The cell asks Python to exit: delete that call.",
    ),
)
"""(pattern for the error's name, pattern for its text, advice); the first that fits counts."""

DEFAULT_HINT = "Restart the kernel, run all cells from the top, and fix the first cell that fails."


def hint_for(cell: CellRun) -> str:
    """What the student might do about this cell."""
    if cell.status is CellStatus.TIMED_OUT:
        return "Train for fewer epochs, or a smaller network, and take out loops that never end."
    if cell.status is CellStatus.STOPPED:
        return "See whether this cell ends Python, or asks for very much memory or output."
    for name, text, advice in HINTS:
        if re.search(name, cell.error_name) and re.search(text, cell.error_text):
            return advice
    return DEFAULT_HINT
