"""Runs the AWS CLI for one command after the other: a line of JSON with the arguments comes in, one with the exit code and all
output goes out. Each command has a driver and a session of its own, as in a process of its own."""

import contextlib
import io
import json
import sys


def main():
    from awscli.clidriver import create_clidriver

    answers = sys.stdout
    for line in sys.stdin:
        output = io.TextIOWrapper(io.BytesIO(), encoding="utf8", write_through=True)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = create_clidriver().main(json.loads(line))
        answers.write(json.dumps({"code": code, "text": output.buffer.getvalue().decode("utf8", "replace")}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
