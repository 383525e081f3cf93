"""Small faults that somebody could make, and the tests that must notice each of them.

Each `.yaml` file here lists the faults of a room: the `file`, the exact text `before`, which must
stand there once, the text `after`, and the `tests` that must fail then. `python -m studies.mutants`
puts one fault after another into a copy of the tree and runs its tests. When modules move, only
`file` changes; where a text no longer stands in its file, that is an error, since the fault would
be tried no more.
"""
