"""Rules of the tests' own, so that a course may change its configuration and no test fails.

What a test counts or quotes stands here, or is taken from the committed configuration; it is
never a number of that configuration written down again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from autograder.core.config import Config

RULES: dict[str, dict[str, Any]] = {
    "accuracy": {"threshold": 0.95},
    "budget": {"max_parameters": 110_000},
    "points": {
        "runs": 10,
        "accuracy": 40,
        "budget": 20,
        "reflection_1": 10,
        "reflection_2": 10,
        "reflection_3": 10,
    },
    "reflections": {
        "min_characters": 30,
        "prompts": {
            "reflection_1": "Why did the first network do poorly?",
            "reflection_2": "How did your changes help?",
            "reflection_3": "What else did you learn about tuning a neural network?",
        },
    },
    "starter": {"hidden_units": [1000, 10], "learning_rate": 0.03, "epochs": 3},
    "second_runs": {"margin": 0.01, "count": 2},
}


def with_own_rules(config: Config) -> Config:
    """`config` with these rules, for tests whose cases were worked out for them."""
    values: dict[str, Any] = msgspec.to_builtins(config)
    return msgspec.convert({**values, **RULES}, type=Config)
