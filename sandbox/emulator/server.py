"""The AWS emulator: moto's server on the loopback interface, on a port that the system chooses.

It prints one line of JSON with the port when it accepts requests, and ends when its stdin is closed: whoever holds the other
end of that pipe is the one it works for.
"""

import argparse
import json
import logging
import os
import sys
import threading


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--access-key", required=True, help="the key that belongs to --account")
    parser.add_argument("--account", required=True, help="other accounts are entered by assuming a role")
    parser.add_argument("--access-log", required=True)
    parser.add_argument("--node", required=True, help="the Node.js that judges policies")
    options = parser.parse_args()

    logging.basicConfig(filename=options.access_log, level=logging.INFO, format="%(asctime)s %(message)s")

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    import additions
    import gate
    from layers import wrap

    additions.apply()
    judge = gate.Judge()
    gate.apply(judge)
    app = wrap(DomainDispatcherApplication(create_backend_app), options)
    server = make_server("127.0.0.1", 0, app, threaded=True)

    def end_with_stdin():
        while sys.stdin.buffer.read(4096):
            pass
        # Not sys.exit: a request that still runs must not hold us.
        os._exit(0)

    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    # Not earlier: it would slow the start down, and nobody creates a trail at once.
    judge.start(options.node)
    server.serve_forever()


if __name__ == "__main__":
    main()
