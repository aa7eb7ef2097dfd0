"""Runs a command and waits for all that it starts. A process whose parent ends without having waited for it falls to this one
(on Linux), so that anyone who waits for this one gets the processor time of all of them: plugins of Pulumi's are ended that way."""

import os
import subprocess
import sys


def main():
    if sys.platform == "linux":
        import ctypes

        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)
    code = subprocess.Popen(sys.argv[1:]).wait()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
