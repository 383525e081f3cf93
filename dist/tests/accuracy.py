# Made by `m5 release` from assignment/m5.ipynb: change it there, not here.
from otter.test_files import test_case

OK_FORMAT = False

name = "accuracy"
points = 40
all_or_nothing = True


@test_case(
    name="More than 95 % of the test images are read correctly",
    points=None,
    hidden=False,
    success_message="The local check passed. Gradescope trains and measures the network again.",
    failure_message="Not there yet. Change one thing, run the network again, then this check.",
)
def test_more_than_the_threshold(model, x_test, y_test):
    """More than 95 % of the test images are read correctly."""
    import numpy as np

    assert hasattr(model, "predict"), (
        "There is no network in `model` yet. Have you run the cell that builds and trains it?"
    )
    assert x_test is not None and y_test is not None, (
        "There are no test images in `x_test` and `y_test`. Have you run the cell that loads them?"
    )
    labels = np.asarray(y_test)
    if labels.ndim == 2 and labels.shape[1] > 1:  # one-hot labels
        labels = labels.argmax(axis=1)
    labels = labels.reshape(-1)
    outputs = np.asarray(model.predict(x_test, verbose=0))
    assert outputs.shape == (len(labels), 10), (
        f"For {len(labels):,} images the network gives an array of the shape {outputs.shape}. "
        "How many outputs does each image need, if there are ten digits?"
    )
    assert np.isfinite(outputs).all(), (
        "Some outputs are no numbers any more (NaN or infinite). What in the training could make "
        "the weights grow without bound?"
    )
    answers = outputs.argmax(axis=1)
    accuracy = float(np.mean(answers == labels))
    if len(np.unique(answers)) == 1:
        question = (
            f"It calls every single image a {answers[0]}. What must have become of the units in "
            "the hidden layers, if the output does not depend on the image any more?"
        )
    else:
        question = (
            "Look at the accuracies after each epoch: do they still climb, do they stand still, or "
            "do they jump about? Which hyperparameter does that point to?"
        )
    message = (
        f"The network reads {accuracy * 100:.2f} % of the {len(labels):,} test images correctly; "
        f"more than 95 % are wanted. {question}"
    )
    assert accuracy > 0.95, message


@test_case(
    name="Measured by the grader, more than 95 % are read correctly",
    points=None,
    hidden=True,
)
def test_more_than_the_threshold_when_graded(model, x_test, y_test):
    """Measured by the grader, more than 95 % are read correctly."""
    import numpy as np

    assert model is not None, "The notebook left no network behind that could be measured."
    outputs = np.asarray(model.predict(x_test, verbose=0), dtype=float)
    finite = np.isfinite(outputs).all(axis=1)
    measured = float(np.mean((outputs.argmax(axis=1) == np.asarray(y_test)) & finite))
    assert measured > 0.95, (
        f"The grader measured an accuracy of {measured * 100:.2f} %; more than 95 % are wanted."
    )
