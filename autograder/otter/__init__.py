"""Stock Otter's commands with this grader: its plugin, and the format of its results."""
