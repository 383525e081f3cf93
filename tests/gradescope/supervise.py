"""The supervisor with another grading process: ``supervise.py ROOT SECONDS PROGRAM``.

PROGRAM is Python code, run with the file descriptor ``answer`` to write to and ``good``, an answer.
"""

import json
import sys
from pathlib import Path

from autograder.gradescope import supervisor
from autograder.gradescope.supervisor import Place

GOOD = {
    "results": {
        "score": 60,
        "output": "Graded.",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [],
        "extra_data": {"verdict": "FAILED"},
    },
    "report": {},
}
PREAMBLE = "import os, signal, subprocess, sys, time\nanswer = {}\ngood = {!r}.encode()\n"

if __name__ == "__main__":
    root, seconds, program = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    supervisor.grading_command = lambda place, seconds, answer: [
        sys.executable,
        "-c",
        PREAMBLE.format(answer, json.dumps(GOOD)) + program,
    ]
    supervisor.container_seconds = lambda config: seconds + supervisor.WRITE_SECONDS
    sys.exit(supervisor.supervise(Place(root)))
