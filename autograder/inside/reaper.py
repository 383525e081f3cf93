"""UNTRUSTED GROUND: the first process of a box that was forked. ``reaper.py PID``.

Takes leave of every process that ends in the box, and ends with PID: then the kernel ends the rest.
"""

import os
import sys

main = int(sys.argv[1])
while True:
    ended, status = os.wait()
    if ended == main:
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
