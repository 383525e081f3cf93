"""``docs/performance.md``, generated from the results alone."""

from __future__ import annotations

from benchmarks.results import Goal, Part, Results, Row

HEAD = (
    "# Performance\n\n"
    "What grading costs, in time and in memory, beside running the notebook oneself. This page, "
    "[the picture](performance.svg) and [the numbers](performance.json) are written by\n\n"
    "```sh\n{command}\n```\n\n"
    "and by nothing else. Each number is the median of what was measured, with the lowest and the "
    "highest behind it where there are several. Programs that are compared ran in turn, as whole "
    "processes, measured from outside. Absolute times vary from machine to machine and from hour "
    "to hour; ratios are taken round by round and vary less. 1 MB is 2^20 bytes.\n\n"
    "![How long each program took, in seconds](performance.svg)\n"
)


def render(results: Results) -> str:
    """The page, as Markdown."""
    blocks = [HEAD.format(command=results.command)]
    if results.quick:
        blocks.append("**This was a quick run: it shows that the benchmarks work, no more.**\n")
    blocks += [_goals(results), _machine(results)]
    blocks += [_part(part) for part in results.parts]
    return "\n".join(blocks)


def _goals(results: Results) -> str:
    lines = ["## Goals", "", "| goal | measured | met | why not |", "|---|---|---|---|"]
    for part in results.parts:
        for row in part.rows:
            if row.goal is None:
                continue
            met = "met" if row.goal_met else "**not met**"
            reason = "" if row.goal_met else row.goal.if_missed
            wanted = f"{part.title}: {row.what} {_wanted(row.goal, row.unit)}"
            lines.append(f"| {wanted} | {measured(row)} | {met} | {reason} |")
    return "\n".join([*lines, ""])


def _wanted(goal: Goal, unit: str) -> str:
    if goal.at_most is not None:
        return f"≤ {_number(goal.at_most, unit)}"
    return "" if goal.at_least is None else f"≥ {_number(goal.at_least, unit)}"


def _machine(results: Results) -> str:
    machine = results.machine
    packages = ", ".join(f"{name} {number}" for name, number in machine.packages.items())
    return (
        "## Where\n\n"
        f"{results.date}: {machine.cores} cores ({machine.processor}), "
        f"{machine.memory_bytes / 1e9:.0f} GB of memory, {machine.system}, Python "
        f"{machine.python}; {packages}. Load before the start: {machine.load_before:.1f}. "
        f"Memory was seen by {machine.measured_by}. Rounds of each comparison: "
        f"{results.rounds}.\n"
    )


def _part(part: Part) -> str:
    lines = [f"## {part.title}", "", part.compared, "", "| what | measured |", "|---|---|"]
    lines += [f"| {row.what} | {measured(row)} |" for row in part.rows]
    return "\n".join([*lines, "", f"This part took {part.seconds:.0f} s.", ""])


def measured(row: Row) -> str:
    """What a row says, in words."""
    if row.value is None:
        return row.text
    text = _number(row.value.median, row.unit)
    if row.value.count > 1:
        low, high = (_number(value, row.unit) for value in (row.value.low, row.value.high))
        text += f" ({low} to {high}, {row.value.count} runs)"
    return text


def _number(value: float, unit: str) -> str:
    if unit == "MB":
        return f"{value:,.0f} MB"
    if unit == "x":
        return f"{value:.2f}"
    if unit == "%":
        return f"{value:.2f} %"
    return f"{value:,.2f} s" if value < 10 else f"{value:,.1f} s"
