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
    success_message="This was the local check. Gradescope trains and measures the network again, and checks more.",
    failure_message="Change one thing, run the network again, then this check. Gradescope checks more.",
)
def test_more_than_the_threshold(model, x_train, x_test, y_test):
    """More than 95 % of the test images are read correctly."""
    import numpy as np

    threshold = 0.95
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
    images, wanted = x_test, getattr(model, "input_shape", None)
    if isinstance(wanted, tuple) and None not in wanted[1:]:  # (28, 28) or (784,) or (28, 28, 1)
        images = np.asarray(x_test)
        assert len(images) == len(labels) > 0, (
            f"`x_test` holds {len(images):,} images and `y_test` {len(labels):,} labels. Which "
            "cell has cut one of them? Run the cell that loads them again."
        )
        if images[0].size == np.prod(wanted[1:]):
            images = images.reshape(-1, *wanted[1:])
        assert images.shape[1:] == wanted[1:], (
            f"The network takes images of the shape {wanted[1:]}, but those in `x_test` have the "
            f"shape {images.shape[1:]}. What did you do to `x_train` and not to `x_test`?"
        )
    outputs = np.asarray(model.predict(images, batch_size=500, verbose=0))
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
    measured = (
        f"The network reads {accuracy * 100:.2f} % of the {len(labels):,} test images correctly; "
        f"more than {threshold * 100:.6g} % are wanted."
    )
    train_top, test_top = (
        float(np.max(some)) if hasattr(some, "max") and np.size(some) else 0.0
        for some in (x_train, x_test)
    )
    if max(train_top, test_top) > 10 * min(train_top, test_top) > 0:
        question = (
            f"The numbers in `x_train` go up to {train_top:g}, those in `x_test` up to "
            f"{test_top:g}. Are both prepared in the same way?"
        )
    elif len(np.unique(answers)) == 1:
        question = (
            f"It calls every single image a {answers[0]}. What must have become of the units in "
            "the hidden layers, if the output does not depend on the image any more?"
        )
    else:
        question = (
            "Do the accuracies after each epoch still climb, stand still, or jump about, and which "
            "hyperparameter does that point to?"
        )
    assert accuracy > threshold, f"{measured} {question}"
    return measured
