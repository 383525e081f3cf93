"""Otter's own way to grade, in an image that Otter built: not used, but it has to be there.

`otter grade` copies this file into its image and then calls run_autograder, which is ours.
"""

from otter.run.run_autograder import main

if __name__ == "__main__":
    main("/autograder")
