"""``otter_config.json``, the only place for every number that a course might change."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from autograder.core.errors import ConfigError

CONFIG_NAME = "otter_config.json"
MAX_CONFIG_BYTES = 1 << 20
"""A configuration is a page of text; a larger file is something else."""

CHECK_NAMES = (
    "runs",
    "accuracy",
    "budget",
    "reflection_1",
    "reflection_2",
    "reflection_3",
)
"""The checks, in the order in which they are shown; each has an Otter test file of that name."""

SEEDS = 2**32
"""How many seeds there are for NumPy and Keras, from 0."""

REFLECTION_NAMES = ("reflection_1", "reflection_2", "reflection_3")

Points = Annotated[int, Meta(ge=0, le=1000)]
Fraction = Annotated[float, Meta(gt=0, lt=1)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Bytes = Annotated[int, Meta(ge=1 << 16, le=1 << 40)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records that cross the border to JSON: frozen, by keyword, nothing unknown."""


class AssignmentConfig(Record, frozen=True):
    """What the assignment is called."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Written into the released notebook's metadata; tells our notebook from others."""
    title: Text
    """Shown above the notebook, in messages and on the pages."""


class AccuracyConfig(Record, frozen=True):
    """When a network is accurate enough."""

    threshold: Fraction
    """Fraction of test images; accuracy must be greater. Course rule: more than 95 %."""


class BudgetConfig(Record, frozen=True):
    """How large a network may be."""

    max_parameters: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    """All parameters, trainable or not; course rule, a little above one hidden layer of 128."""


class PointsConfig(Record, frozen=True):
    """What each check is worth; names equal the checks'."""

    runs: Points
    """Every code cell ran without an error, within the limits."""
    accuracy: Points
    """The network is more accurate than `accuracy.threshold`."""
    budget: Points
    """The network has at most `budget.max_parameters` parameters."""
    reflection_1: Points
    """There is an answer to the first question."""
    reflection_2: Points
    """There is an answer to the second question."""
    reflection_3: Points
    """There is an answer to the third question."""

    def of(self, check: str) -> int:
        """Points for the check of that name."""
        points: int = getattr(self, check)
        return points

    @property
    def total(self) -> int:
        """Points of all checks together."""
        return sum(self.of(name) for name in CHECK_NAMES)


class PromptsConfig(Record, frozen=True):
    """The question that each reflection answers."""

    reflection_1: Text
    """The first question, as it stands in the notebook."""
    reflection_2: Text
    """The second question."""
    reflection_3: Text
    """The third question."""

    def of(self, name: str) -> str:
        """The prompt of the reflection of that name."""
        prompt: str = getattr(self, name)
        return prompt


class ReflectionsConfig(Record, frozen=True):
    """What counts as an answer."""

    min_characters: Annotated[int, Meta(ge=1, le=10_000)]
    """Weighted letters of an answer: a Latin letter counts 1, an Arabic or Hebrew one 1.5, a Han,
    Kana or Hangul character 2, since one of those says as much as two letters or more."""
    prompts: PromptsConfig


class StarterConfig(Record, frozen=True):
    """The broken network that students receive.

    How accurate it is with these values, from many seeds, stands in ``docs/calibration.md``.
    """

    hidden_units: Annotated[list[Annotated[int, Meta(ge=1, le=10_000)]], Meta(max_length=8)]
    """Units of each hidden layer, from the first to the last."""
    learning_rate: Annotated[float, Meta(gt=0, le=10)]
    """Of the optimizer; the course's starter has one that is far too high."""
    epochs: Annotated[int, Meta(ge=1, le=1000)]
    """How often training goes through all training images."""


class Limits(Record, frozen=True):
    """What one submission may use up."""

    notebook_seconds: Annotated[float, Meta(ge=1, le=7200)]
    """Wall time for all cells together. Gradescope ends a container after 40 minutes at most."""
    cell_seconds: Annotated[float, Meta(ge=1, le=7200)]
    """Wall time for one cell."""
    interrupt_grace_seconds: Annotated[float, Meta(ge=0.5, le=120)]
    """Between an interrupt and the kill, for the cell to end and the network to be saved."""
    memory_bytes: Annotated[int, Meta(ge=1 << 28, le=1 << 40)]
    """Memory of the notebook and of all processes that it starts, together."""
    processes: Annotated[int, Meta(ge=16, le=100_000)]
    """Processes and threads together; TensorFlow alone starts a few dozen threads."""
    file_bytes: Bytes
    """Size of any one file that the notebook writes."""
    scratch_bytes: Bytes
    """All that the notebook leaves in its working folder together."""
    kept_output_bytes: Bytes
    """Text, pictures and data that the cells show together; what comes after is only counted."""
    output_bytes: Bytes
    """The same, as the point at which the notebook is stopped."""
    export_bytes: Bytes
    """The network's weights, as they leave the box."""

    def within(self, seconds: float) -> Limits:
        """The same with at most so many seconds for all cells, and for each."""
        return msgspec.structs.replace(
            self,
            notebook_seconds=min(self.notebook_seconds, seconds),
            cell_seconds=min(self.cell_seconds, seconds),
        )


class Verification(Record, frozen=True):
    """How the network is measured."""

    seed: Annotated[int, Meta(ge=0, lt=SEEDS)]
    """For Python, NumPy and Keras, set before the first cell."""
    steps_per_execution: Annotated[int, Meta(ge=1, le=1000)]
    """Batches that training takes in one trip through Python, where it cannot be seen; 1 leaves
    Keras as it is. 50 was measured to take half the time and leave weights the same to the bit."""
    threads: Annotated[int, Meta(ge=1, le=256)]
    """To compute with, for the notebook and for the grader. TensorFlow and NumPy divide sums by
    threads, and so round differently: small_conv came out at 0.9790 with one and 0.9808 with two.
    With one number for all machines this is no reason for grades to differ; another kind of
    processor may still round differently."""
    probe_images: Annotated[int, Meta(ge=100, le=60_000)]
    """Training images on which the preprocessing is recovered."""
    preparation_p_value: Annotated[float, Meta(gt=0, lt=0.05)]
    """How often chance alone may make another preparation seem better than x / 255, of all that
    are tried together: one-sided, McNemar's exact test on the same images."""
    test_over_training_p_value: Annotated[float, Meta(gt=0, lt=0.05)]
    """One-sided: how often chance alone may make all 10,000 test images seem known better than the
    training images. A network below it has been trained on test images: no credit for accuracy."""
    public_half_p_value: Annotated[float, Meta(gt=0, lt=0.05)]
    """One-sided: how often chance alone may make the half of the test images that the notebook had
    seem known better than the other half, which then counts alone. Nobody is accused by it, so
    that it may happen to one honest network in a thousand."""


class SecondRunsConfig(Record, frozen=True):
    """When a notebook is run again, from other seeds; the best of its runs counts."""

    margin: Annotated[float, Meta(gt=0, le=0.1)]
    """Fraction of test images by which a network may miss the threshold, for that. The
    reference was seen to come out within 0.005 of its mean (docs/calibration.md)."""
    count: Annotated[int, Meta(ge=0, le=10)]
    """Further runs at most, each with the next seed; 0 for none at all."""


class GradescopeConfig(Record, frozen=True):
    """How the grader behaves in Gradescope's container."""

    container_seconds: Annotated[float, Meta(ge=60, le=2400)]
    """The time limit that is set for the assignment on Gradescope, 600 s unless somebody changed
    it. A container that runs longer is killed and scores 0, so this must not be more than it."""
    reserve_seconds: Annotated[float, Meta(ge=15, le=1200)]
    """Of that, kept back from the cells: to start the kernel, to measure, to write. What these took
    is *whole run* less *its cells* in the table of docs/instructors.md."""
    leaderboard: bool
    """Whether networks that pass are listed by parameters and accuracy."""


class Config(Record, frozen=True, kw_only=True):
    """The whole of ``otter_config.json``."""

    assignment: AssignmentConfig
    accuracy: AccuracyConfig
    budget: BudgetConfig
    points: PointsConfig
    reflections: ReflectionsConfig
    starter: StarterConfig
    limits: Limits
    verification: Verification
    second_runs: SecondRunsConfig
    gradescope: GradescopeConfig
    schema: str = msgspec.field(default="", name="$schema")
    """Path of the schema that editors check this file by; nothing else reads it."""

    @property
    def longest_seconds(self) -> float:
        """Wall time that the cells of one submission may take in all its runs together."""
        return self.limits.notebook_seconds * (1 + self.second_runs.count)


def parse_config(text: bytes, source: str = CONFIG_NAME) -> Config:
    """Parse and validate a configuration.

    Parameters
    ----------
    text
        JSON, UTF-8; some editors put a byte order mark in front.
    source
        What to call it in an error.

    Raises
    ------
    ConfigError
        If it is not JSON, lacks a key, has an unknown one, or a value is out of range; the text
        names the line, or the key and the range.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{source}: {len(text):,} bytes are too many for a configuration.")
    text = text.removeprefix(codecs.BOM_UTF8)
    try:
        config = msgspec.json.decode(text, type=Config)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{source}: {error}. docs/configuration.md says what each key may hold."
        ) from error
    except msgspec.DecodeError as error:
        place = re.search(r"\(byte (\d+)\)", str(error))
        line = text.count(b"\n", 0, int(place[1]) if place else None) + 1
        raise ConfigError(f"{source}, line {line}, or just before it: {error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: {error}.") from error
    limits = config.limits
    if limits.cell_seconds > limits.notebook_seconds:
        raise ConfigError(
            f"{source}: limits.cell_seconds ({limits.cell_seconds:g}) is more than "
            f"limits.notebook_seconds ({limits.notebook_seconds:g})."
        )
    least = 2 * config.gradescope.reserve_seconds
    if config.gradescope.container_seconds < least:
        raise ConfigError(
            f"{source}: gradescope.container_seconds must be at least twice "
            f"gradescope.reserve_seconds, {least:g}, or no time is left for the cells."
        )
    if config.points.total == 0:
        raise ConfigError(f"{source}: points: all checks together are worth nothing.")
    return config


def load_config(path: Path) -> Config:
    """Read the configuration at `path`; see `parse_config` for what is checked."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from error
    return parse_config(text, str(path))
