"""``dist/autograder.zip``: what is uploaded to Gradescope, and what Otter's commands take.

::

    setup.sh  run_autograder  requirements.txt        Gradescope's two files, and the pinned wheels
    otter_config.json  tests/                         for `otter run`: our plugin, and inert tests
    environment.yml  run_otter.py                     for `otter grade`, whose image wants them
    files_m5/                                         the grader: package, data, tests, lesson, and
                                                      otter_config.json with the course's numbers

Why the grader's folder has that name: the image of `otter grade` takes over what matches
``files*``, and `otter run` copies ``files/``, and only that, to where the submission lies. So the
grader reaches the one, and the hidden tests stay out of the other.
"""

from autograder.release.bundle.archive import pack
from autograder.release.bundle.contents import BUNDLE_PATH, bundle_files, write_bundle

__all__ = ["BUNDLE_PATH", "bundle_files", "pack", "write_bundle"]
