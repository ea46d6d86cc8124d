# SPDX-License-Identifier: Apache-2.0
"""One process, measured from outside."""
import os
import subprocess
import sys
import time


def measured(*command, fine=(0,)):
    """Wall seconds, CPU seconds, peak MiB and output of a command; ends the benchmark where it ends with another code."""
    start = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in fine:
        sys.exit(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text
