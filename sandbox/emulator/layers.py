"""What stands in front of moto. A layer takes a WSGI application and the server's options and gives an application back.

What is decided by the request alone belongs here; what needs moto's own state to refuse it is in gate.py.
"""

import re


def own_account(app, options):
    """Gives the sandbox's own key an account. moto has one default account for all keys that it does not know, and no
    setting for it that would still let an assumed role enter another account; a request may name its account, though."""
    credential = re.compile(r"\bCredential=" + re.escape(options.access_key) + "/")

    def layer(environ, start_response):
        if credential.search(environ.get("HTTP_AUTHORIZATION", "")):
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = options.account
        return app(environ, start_response)

    return layer


# The first is the outermost.
LAYERS = [own_account]


def wrap(app, options):
    for layer in reversed(LAYERS):
        app = layer(app, options)
    return app
