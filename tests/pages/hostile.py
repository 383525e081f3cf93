"""What a submission might try on the person who reads its page."""

from __future__ import annotations

from typing import Any

import msgspec

from autograder.core.config import Config
from autograder.core.report import CellReport, ConfusionReport, Report, Verdict
from tests.pages.sample_reports import make_report

HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
    "\"'><svg/onload=window.hacked=1><!-- ]]> {{7*7}} ${7*7} \\u003cb\u2028\u2029"
)
"""Short enough to be shown whole wherever it stands."""
HTML_OUTPUTS = (
    "<script>window.hacked=1; top.hacked=1; alert(1)</script>",
    "<SCRIPT SRC=https://tracker.example/x.js></SCRIPT>",
    "<scr<script>ipt>top.hacked=1</scr</script>ipt>",
    "<img src=x onerror=top.hacked=1><img src='https://tracker.example/x.png'>",
    "<svg><script>top.hacked=1</script><animate onbegin=top.hacked=1></svg>",
    "<a href='javascript:top.hacked=1' autofocus onfocus=top.hacked=1>a link</a>",
    "<iframe srcdoc='<script>top.hacked=1</script>'></iframe><base href=https://tracker.example>",
    "<style>body{background:url(https://tracker.example/y)} *{position:fixed}</style>",
    "<div style='position:fixed;inset:0' class=score>100 of 100 points</div>",
    "<form action=https://tracker.example><button autofocus>Next</button></form>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=alert(1)>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template><object data=javascript:alert(1)></object>",
    "<meta http-equiv=refresh content='0; url=https://tracker.example'>",
    "</div></body></html></iframe><script>top.hacked=1</script>",
    "<b>" * 3000,
)


def hostile_report(number: int, config: Config) -> Report:
    """A report in which every text is hostile."""
    report = make_report(number, config, Verdict.PASSED)
    network = report.network
    assert network is not None
    cell = CellReport(
        number=1,
        status="error",
        seconds=99.0,
        first_line=HOSTILE,
        error=HOSTILE,
        traceback=[HOSTILE],
        hint="",
    )
    return msgspec.structs.replace(
        report,
        name=HOSTILE,
        email=HOSTILE,
        notes=[HOSTILE],
        staff_notes=[HOSTILE],
        checks=[
            msgspec.structs.replace(check, measured=HOSTILE, title=HOSTILE)
            for check in report.checks
        ],
        cells=[cell],
        reflections={
            name: msgspec.structs.replace(answer, text=HOSTILE * 9, reason=HOSTILE)
            for name, answer in report.reflections.items()
        },
        network=msgspec.structs.replace(
            network,
            layers=[{"name": HOSTILE, "kind": HOSTILE, "parameters": 10}],
            history={HOSTILE: [1.0, None, 1e300, -3.0], "loss": [0.1], "__$x$": [0.5]},
            confusions=[
                ConfusionReport(digit=4, taken_for=9, count=2, examples=[], pictures=[HOSTILE])
            ],
        ),
    )


def hostile_notebook() -> dict[str, Any]:
    """An executed notebook whose every cell and output is hostile."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": HOSTILE},
        {"cell_type": "markdown", "source": "[a](javascript:top.hacked=1) ![b](https://t.example)"},
        {"cell_type": "markdown", "source": ["# a\n", "<script>top.hacked=1</script>"]},
        {"cell_type": "raw", "source": HOSTILE},
        {"cell_type": ["code"], "source": 7},
        "no cell",  # type: ignore[list-item]
    ]
    outputs: list[Any] = [
        {"output_type": "display_data", "data": {"text/html": html, "text/plain": "plain"}}
        for html in HTML_OUTPUTS
    ]
    outputs += [
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=top.hacked=1>"}},
        {"output_type": "display_data", "data": {"image/png": '"><script>alert(1)</script>'}},
        {"output_type": "display_data", "data": {"application/javascript": "top.hacked=1"}},
        {"output_type": "display_data", "data": ["text/html"]},
        {"output_type": "stream", "name": "stdout", "text": HOSTILE + "\x1b[31mred\x1b[0m\x00"},
        {"output_type": "stream", "name": HOSTILE, "text": [HOSTILE, 7]},
        {"output_type": "error", "ename": HOSTILE, "evalue": HOSTILE, "traceback": [HOSTILE, 7]},
        {"output_type": HOSTILE},
        None,
    ]
    cells.append({"cell_type": "code", "source": HOSTILE, "outputs": outputs})
    return {"cells": cells, "metadata": {"title": HOSTILE}, "nbformat": 4, "nbformat_minor": 5}
