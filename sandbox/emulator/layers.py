"""What stands in front of moto. A layer takes a WSGI application and the server's options and gives an application back.

What is decided by the request alone belongs here; what needs moto's own state to refuse it is in gate.py.
"""

import re
from collections import OrderedDict

from calls import record_calls


def own_account(app, options):
    """Gives the sandbox's own key an account. moto has one default account for all keys that it does not know, and no
    setting for it that would still let an assumed role enter another account; a request may name its account, though."""
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


# The first is the outermost.
LAYERS = [raw_uri, own_account, record_calls, lost_answers]


def wrap(app, options):
    for layer in reversed(LAYERS):
        app = layer(app, options)
    return app
