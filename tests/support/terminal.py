"""Runs a command in a terminal of its own: what is typed comes from standard input, what it shows goes to standard output.

Its end is one line of JSON on standard error: the exit code or the signal, and whether the terminal's settings are as before.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

COLUMNS = 100


def main():
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        # The leader of a session takes the terminal; what it starts is in the foreground, as under a shell.
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for stream in (0, 1, 2):
            os.dup2(slave, stream)
        os.closerange(3, 256)
        os.execvp(sys.argv[1], sys.argv[1:])

    def show():
        while select.select([master], [], [], 0)[0]:
            os.write(1, os.read(master, 65536))

    inputs = [master, 0]
    while True:
        ready = select.select(inputs, [], [], 0.05)[0]
        show()
        if 0 in ready:
            typed = os.read(0, 65536)
            if typed:
                os.write(master, typed)
            else:
                inputs.remove(0)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
    show()
    code = os.waitstatus_to_exitcode(status)
    end = {
        "code": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "restored": termios.tcgetattr(slave) == before,
    }
    sys.stderr.write(json.dumps(end) + "\n")


main()
