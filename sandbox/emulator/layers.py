"""What stands in front of moto. A layer takes a WSGI application and the server's options and gives an application back.

What is decided by the request alone belongs here; what needs moto's own state to refuse it is in gate.py.
"""

import json
import logging
import re
from collections import OrderedDict

from calls import body_of, record_calls
from clock import CLOCK, stamp
from s3_gate import judge_objects


def own_account(app, options):
    """Gives the sandbox's own key an account. moto has one default account for all keys that it does not know, and no
    setting for it that would still let an assumed role access another account; a request may name its account, though."""
    credential = re.compile(r"\bCredential=" + re.escape(options.access_key) + "/")

    def layer(environ, start_response):
        if credential.search(environ.get("HTTP_AUTHORIZATION", "")):
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = options.account
        return app(environ, start_response)

    return layer


def raw_uri(app, options):
    """moto looks for the path as it was sent under the name that its own server has for it: a key in S3 may hold %2F."""

    def layer(environ, start_response):
        environ["RAW_URI"] = environ["REQUEST_URI"]
        return app(environ, start_response)

    return layer


def lost_answers(app, options):
    """Gives an answer again that its caller has lost. The AWS SDK for Go closes a request's body as soon as there is an answer, and
    Go's HTTP client then drops the connection if it is not yet done with that body. No network is fast enough for that, but this
    server is: on a busy machine some 1 of 20,000 answers is lost. The SDK asks again, and what was made would be refused as
    being there already. Whatever is asked again has the number of the first time."""
    from werkzeug.test import run_wsgi_app

    answers = OrderedDict()

    def layer(environ, start_response):
        number = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        answer = answers.get(number)
        if answer is None:
            body, status, headers = run_wsgi_app(app, environ, buffered=True)
            answer = (status, headers.to_wsgi_list(), list(body))
            # A failure is not to be repeated: a second attempt may do better.
            if number and status.startswith("2"):
                answers[number] = answer
                # As many as there may be in the twenty seconds for which an SDK waits at most.
                while len(answers) > 10_000:
                    answers.popitem(last=False)
        status, headers, body = answer
        start_response(status, list(headers))
        return body

    return layer


def sandbox_controls(app, options):
    """What belongs to the sandbox and not to AWS: its clock. POST /_sandbox/clock moves it, GET tells it; see clock.py."""

    def layer(environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/_sandbox/"):
            return app(environ, start_response)
        status, answer = control(path, environ, options)
        body = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return layer


def control(path, environ, options):
    cloudtrail = options.cloudtrail
    # A page in a browser can send a form to this port, but not JSON.
    if environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE") != "application/json":
        return "415 Unsupported Media Type", {"error": "Send JSON."}
    if path != "/_sandbox/clock":
        return "404 Not Found", {"error": "There is /_sandbox/clock only."}
    try:
        files = cloudtrail.tick() if options.real_time else 0
        if environ["REQUEST_METHOD"] == "POST":
            wanted = json.loads(body_of(environ) or b"{}")
            if "late" in wanted:
                cloudtrail.late += int(wanted["late"])
            if "seconds" in wanted:
                CLOCK.move(float(wanted["seconds"]))
                files += cloudtrail.tick()
    except (ValueError, TypeError, OverflowError) as error:
        return "400 Bad Request", {"error": str(error)}
    return "200 OK", {"now": stamp(CLOCK.now()), "files": files, "waiting": len(cloudtrail.pending)}


def record_events(app, options):
    """Gives every answered call to CloudTrail, and CloudTrail the time to deliver what is due."""
    from werkzeug.test import run_wsgi_app

    cloudtrail = options.cloudtrail

    def layer(environ, start_response):
        if options.real_time:
            cloudtrail.tick()
        before = cloudtrail.logging_trails()
        # Read before moto does, and still there for it.
        body_of(environ)
        stream = environ["wsgi.input"]
        body, status, headers = run_wsgi_app(app, environ, buffered=True)
        body = b"".join(body)
        if hasattr(stream, "getvalue"):
            stream.seek(0)
            environ["wsgi.input"] = stream
        try:
            cloudtrail.record(before, environ, int(status.split(" ", 1)[0]), headers.to_wsgi_list(), body)
        except Exception:
            # The caller has its answer, whatever the sandbox makes of it.
            logging.exception("A call was not recorded")
        start_response(status, headers.to_wsgi_list())
        return [body]

    return layer


# The first is the outermost. What is asked again is one call: events are made behind lost_answers.
LAYERS = [raw_uri, sandbox_controls, own_account, record_calls, lost_answers, record_events, judge_objects]


def wrap(app, options):
    for layer in reversed(LAYERS):
        app = layer(app, options)
    return app
