"""UNTRUSTED GROUND: brings Matplotlib's list of fonts to where Matplotlib looks for it.

The grader has laid it beside this file, if it knows one. Without it Matplotlib reads every font of
the system when it is imported.
"""

import contextlib
import glob
import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))


def take_fonts():
    """Copy the list into this process's home folder; without it things are only slower."""
    cache = os.path.expanduser("~/.cache/matplotlib")
    for path in glob.glob(os.path.join(HERE, "fontlist-v*.json")):
        with contextlib.suppress(OSError):
            os.makedirs(cache, mode=0o700, exist_ok=True)
            shutil.copyfile(path, os.path.join(cache, os.path.basename(path)))


take_fonts()
