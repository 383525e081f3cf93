"""Is an executed notebook as nbclient would have it, which most people know from nbconvert?

One notebook with a cell for each kind of output is run by both. nbclient keeps each piece of a
stream by itself, and leaves carriage returns to whoever shows them; both are evened out here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.core.assignment import Assignment
from autograder.core.text import StreamText
from autograder.sandbox import Isolation
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.executor import Executor

SHOW = "from IPython.display import *\nimport IPython.display as d\n"
CELLS: dict[str, str] = {
    "nothing": "x = 1",
    "comment": "# only words",
    "result": "[1, 2]",
    "suppressed": "5;",
    "result and print": "print('a')\n'b'",
    "two streams": "import sys\nprint('out', flush=True)\n"
    "print('err', file=sys.stderr, flush=True)\nprint('out again', flush=True)",
    "pieces": "import time\nfor n in range(4):\n    print(n, flush=True)\n    time.sleep(0.3)",
    "empty print": "print('', end='')",
    "carriage return": "print('step 1\\rstep 2\\rstep 3')",
    "windows lines": "print('a\\r\\nb\\r\\n')",
    "backspace": "print('abc\\b\\bX')",
    "colours": "print('\\x1b[31mred\\x1b[0m plain')",
    "null and odd": "print('a\\x00b \\ufeff \\u202e c')",
    "long line": "print('x' * 100_000)",
    "html": SHOW + "HTML('<b>bold</b>')",
    "many kinds": "class A:\n    def _repr_html_(self): return '<i>a</i>'\n"
    "    def _repr_latex_(self): return '$a$'\n    def __repr__(self): return 'a'\nA()",
    "json": SHOW + "display(JSON({'a': [1, {'b': None}]}))",
    "markdown": SHOW + "display(Markdown('# title'), metadata={'mine': 1})",
    "svg": SHOW + "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
    "raw data": SHOW + "display({'text/plain': 'p', 'application/x-own+json': {'k': 1}}, raw=True)",
    "figure": "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.plot([1, 2]);",
    "named": SHOW + "h = display('one', display_id='n')",
    "named again": SHOW + "display('two', display_id='n');",
    "updated across cells": "h.update('three')",
    "updated by name": SHOW + "update_display('four', display_id='n')",
    "updated before": SHOW + "update_display('five', display_id='later')",
    "named later": SHOW + "display('six', display_id='later');",
    "cleared": SHOW + "print('old')\nclear_output()\nprint('new')",
    "cleared at last": SHOW + "print('old')\nclear_output()",
    "cleared on next": SHOW + "print('old')\nclear_output(wait=True)\nprint('new')",
    "cleared on none": SHOW + "print('old')\nclear_output(wait=True)",
    "cleared names": SHOW + "h = display('a', display_id='c')\nclear_output()\nh.update('b')",
    "cleared in a loop": SHOW + "for n in range(3):\n    clear_output(wait=True)\n    display(n)",
    "error": "1 / 0",
    "error after output": "print('before')\nraise ValueError('line\\nline')",
    "error in depth": "def f(n):\n    return f(n - 1) if n else 1 / 0\nf(5)",
    "error with cause": "try:\n    {}['a']\nexcept KeyError as e:\n"
    "    raise RuntimeError('b') from e",
    "syntax error": "def (:",
    "own exception": "class Own(Exception): pass\nraise Own('why')",
    "awaited": "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')",
    "error in async": "async def f(): raise KeyError('k')\nawait f()",
    "input": "input('name? ')",
    "getpass": "import getpass\ngetpass.getpass()",
    "system": "get_ipython().system('echo one; echo two >&2')",
    "shell": "!echo three",
    "captured shell": "lines = !echo four\nlines",
    "magic": "%who_ls int",
    "cell magic": "%%capture kept\nprint('hidden')",
    "shown captured": "kept.show()",
    "bash": "%%bash\necho five\necho six >&2",
    "unknown magic": "%nothing_like_this",
    "page": "get_ipython().run_line_magic('pinfo', 'len')",
    "logging": "import logging\nlogging.getLogger().warning('careful')",
    "exit status": "import sys\nsys.exit(3)",
    "traceback printed": "import traceback\ntry:\n    1/0\nexcept ZeroDivisionError:\n"
    "    print(len(traceback.format_exc()) > 10)",
    "last expression": "%config InteractiveShell.ast_node_interactivity = 'all'",
    "all expressions": "1\n2",
    # At the end, since nbclient does not count it.
    "empty": "",
}
TAGGED = {"error after output", "error in async"}


def given() -> Any:
    made = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for name, source in CELLS.items():
        tags = ["raises-exception"] if name in TAGGED else []
        made.cells.append(new_code_cell(source, metadata={"name": name, "tags": tags}))
    return made


pytestmark = pytest.mark.xdist_group("nbclient")
"""In one process, so that the cells run once."""


@pytest.fixture(scope="module")
def theirs() -> Any:
    """As nbclient leaves it; it has no box, but these cells are ours."""
    client = NotebookClient(given(), allow_errors=True, timeout=120, kernel_name="python3")
    return client.execute()


@pytest.fixture(scope="module")
def ours(assignment: Assignment, bare: Toolbox, isolation: Isolation) -> Any:
    limits = assignment.config.limits
    with Box(kind=isolation.kind, limits=limits, toolbox=bare) as box:
        executor = Executor(box=box, toolbox=bare, limits=limits, seed=1)
        return executor.execute(given()).notebook


def evened(outputs: Sequence[Any]) -> list[Any]:
    """With streams merged and overtyped, what differs from run to run left out."""
    left: list[Any] = []
    for output in outputs:
        kept = nbformat.from_dict(output)
        if kept.output_type == "stream":
            if left and left[-1].output_type == "stream" and left[-1].name == kept.name:
                left[-1].text += kept.text
                continue
        elif kept.output_type == "error":
            kept.traceback = [
                re.sub(r"/tmp/\S+|\d{3,}|0x\w+", "#", line) for line in kept.traceback
            ]
        left.append(kept)
    for output in left:
        if output.output_type == "stream":
            stream = StreamText()
            stream.add(output.text)
            output.text = stream.text
    return [output for output in left if output.get("text") != ""]


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_as_nbclient_has_it(name: str, ours: Any, theirs: Any) -> None:
    here, there = (
        next(cell for cell in executed.cells if cell.metadata.name == name)
        for executed in (ours, theirs)
    )
    assert evened(here.outputs) == evened(there.outputs)
    assert here.execution_count == there.execution_count or not here.source.strip()
    assert here.metadata.tags == there.metadata.tags
