"""The AWS emulator: moto's server on the loopback interface, on a port that the system chooses.

It prints one line of JSON with the port when it accepts requests, and ends when its stdin is closed: anyone who holds the other
end of that pipe is the one it works for.
"""

import argparse
import json
import logging
import os
import re
import resource
import sys
import threading
import time
import urllib.request


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--access-key", required=True, help="the key that belongs to --account")
    parser.add_argument("--account", required=True, help="other accounts are accessed by assuming a role")
    parser.add_argument("--access-log", required=True)
    parser.add_argument("--node", required=True, help="the Node.js that judges policies")
    parser.add_argument("--seed", default="crosstrail", help="of the same seed come the same event ids and file names")
    parser.add_argument("--regions", nargs="+", default=["us-east-1", "us-west-2", "eu-west-1"], help="those that are enabled")
    parser.add_argument("--real-time", action="store_true", help="CloudTrail delivers as time passes, not only when the clock is moved")
    options = parser.parse_args()

    logging.basicConfig(filename=options.access_log, level=logging.INFO, format="%(asctime)s %(message)s")
    # It says whenever a request waits, as all but one are meant to.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)

    import clock

    clock.apply()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from waitress import create_server

    import additions
    import cloudtrail_delivery
    import cloudtrail_events
    import gate
    import s3_gate
    from calls import RestOperations
    from layers import wrap

    additions.apply()
    judge = gate.Judge()
    gate.apply(judge)
    s3_gate.apply()
    cloudtrail_events.apply()
    options.judge = judge
    rest = {name: RestOperations(name) for name in ("s3", "s3control")}
    options.rest = rest
    options.cloudtrail = cloudtrail_delivery.CloudTrail(options, cloudtrail_events.Recorder(options, rest), judge)
    cloudtrail_delivery.apply(options.cloudtrail)
    metadata_in_lower_case()
    app = wrap(DomainDispatcherApplication(create_backend_app), options)
    # moto's own server answers each request in a thread of its own, but its state is not made for threads: where a request meets
    # the change of another one, it ends in a 500. Here they wait for each other. A client ends its connections itself: a
    # fleet's engines keep a few each, for each service and Region.
    limits = {"connection_limit": open_files(), "channel_timeout": 24 * 60 * 60, "asyncore_use_poll": True}
    server = create_server(app, host="127.0.0.1", port=0, threads=1, ident=None, **limits)

    def end_with_stdin():
        while sys.stdin.buffer.read(4096):
            pass
        # Not sys.exit: a request that still runs must not hold us.
        os._exit(0)

    def keep_time():
        # CloudTrail delivers while nobody calls, too. Through the server: moto's state is for one thread only.
        while True:
            time.sleep(60)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{int(server.effective_port)}/_sandbox/clock", timeout=60).close()
            except OSError:
                pass

    threading.Thread(target=end_with_stdin, daemon=True).start()
    if options.real_time:
        threading.Thread(target=keep_time, daemon=True).start()
    print(json.dumps({"port": int(server.effective_port)}), flush=True)
    # Not earlier: it would slow the start down, and nobody creates a trail at once.
    judge.start(options.node)
    server.run()


def metadata_in_lower_case():
    """waitress capitalizes the names of headers. S3 sends those of metadata in lower case, and botocore keeps them as they come: the
    AWS CLI would not find the signature of a digest."""
    from waitress.task import Task

    build = Task.build_response_header

    def lower(self):
        return re.sub(rb"^X-Amz-Meta-[^:\r\n]+", lambda name: name.group().lower(), build(self), flags=re.MULTILINE)

    Task.build_response_header = lower


def open_files(wanted=4096):
    """How many files and connections this process may have open: as many as are wanted, if the system lets it."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return wanted


if __name__ == "__main__":
    main()
