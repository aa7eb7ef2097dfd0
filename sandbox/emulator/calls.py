"""Notes every call to the emulator, one line of JSON each, in calls.jsonl beside the access log: which operation of which
service, in which account, on what, and by whom. The tests hold these against what the deploy roles grant (core/roles). The access log
says the same for people, and when."""

import io
import json
import logging
import os
import re
from urllib.parse import parse_qs, parse_qsl, unquote

# The parameters that name resources are short; policies and lists of tags are not wanted here.
LONGEST_VALUE = 256
LONGEST_BODY = 1024 * 1024


def record_calls(app, options):
    file = open(os.path.join(os.path.dirname(options.access_log), "calls.jsonl"), "a", encoding="utf8", buffering=1)
    rest = options.rest

    def layer(environ, start_response):
        call = describe(environ, rest)
        if call is None:
            return app(environ, start_response)

        def answered(status, headers, exc_info=None):
            file.write(json.dumps({**call, "status": int(status.split(" ", 1)[0])}) + "\n")
            logging.info("%(account)s %(region)s %(service)s %(operation)s: %(status)s", {**call, "status": status})
            return start_response(status, headers, exc_info)

        return app(environ, answered)

    return layer


def describe(environ, rest):
    """What a signed request asks for; None for anything else, such as a look at moto's own pages."""
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    if not scope:
        return None
    access_key, region, service = scope.groups()
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    path = unquote(environ.get("PATH_INFO", "/"))
    parameters = {}
    target = environ.get("HTTP_X_AMZ_TARGET")
    cbor = re.search(r"/operation/(\w+)$", path)
    if service == "s3":
        control = re.match(r"/v20180820/(.*)", path)
        operation, parameters = rest["s3control" if control else "s3"].find(environ, path, query)
        if "versionId" in query:
            # IAM has an action of its own for versions.
            parameters = {**parameters, "VersionId": query["versionId"]}
        if operation == "PutBucketReplication":
            # The one role that is handed over in a document.
            role = re.search(rb"<Role>([^<]+)</Role>", body_of(environ))
            parameters = {**parameters, **({"Role": role.group(1).decode()} if role else {})}
    elif target:
        operation = target.rsplit(".", 1)[-1]
        parameters = json.loads(body_of(environ) or b"{}")
    elif cbor:
        operation = cbor.group(1)
    else:
        form = {name: values[0] for name, values in parse_qs(body_of(environ).decode("utf8", "replace")).items()}
        operation = form.pop("Action", None) or query.get("Action") or f"{environ['REQUEST_METHOD']} {path}"
        parameters = form
    account = account_of(environ, access_key)
    return {
        "service": service,
        "operation": operation,
        "account": account,
        "region": region,
        "context": context_of(service, account, region, parameters),
        "parameters": {
            name: value
            for name, value in ((name, text(first(value))) for name, value in parameters.items())
            if isinstance(value, str) and len(value) <= LONGEST_VALUE and name != "Version"
        },
        "agent": environ.get("HTTP_USER_AGENT", ""),
    }


def context_of(service, account, region, parameters):
    """What conditions of policies can ask of the request's keys and roles: as they are before the call, or as it makes them."""
    context = {}
    if service == "kms":
        for tag in parameters.get("Tags") or []:
            context[f"aws:RequestTag/{tag['TagKey']}"] = tag["TagValue"]
    key = parameters.get("KeyId") or parameters.get("TargetKeyId") or parameters.get("KmsKeyId")
    if isinstance(key, str):
        from moto.kms.models import kms_backends

        backend = kms_backends[account][region]
        found = backend.keys.get(backend.get_key_id(key))
        if found:
            for name, value in backend.tagger.get_tag_dict_for_resource(found.id).items():
                context[f"aws:ResourceTag/{name}"] = value
            if found.aliases:
                context["kms:ResourceAliases"] = sorted(found.aliases)
    if service == "organizations":
        for tag in parameters.get("Tags") or []:
            context[f"aws:RequestTag/{tag['Key']}"] = tag["Value"]
        policy = control_policy(account, parameters.get("PolicyId") or parameters.get("ResourceId"))
        if policy:
            context.update({f"aws:ResourceTag/{name}": value for name, value in policy.tags.items()})
    role = parameters.get("RoleName")
    if service == "iam" and isinstance(role, str):
        from moto.iam.models import iam_backends
        from moto.utilities.utils import get_partition

        roles = iam_backends[account][get_partition(region)].roles.values()
        boundary = parameters.get("PermissionsBoundary") or next(
            (each.permissions_boundary_arn for each in roles if each.name == role), None
        )
        if boundary:
            context["iam:PermissionsBoundary"] = boundary
    return context


def control_policy(account, policy_id):
    from moto.organizations.models import organizations_backends

    for backend in organizations_backends[account].values():
        for policy in backend.policies if policy_id else []:
            if policy.id == policy_id:
                return policy
    return None


def first(value):
    """Of a list its first element: calls name one resource, some in a list of one."""
    return value[0] if isinstance(value, list) and value else value


def text(value):
    """Numbers and booleans as in the other protocols: text."""
    return json.dumps(value) if isinstance(value, (bool, int)) else value


def account_of(environ, access_key):
    from moto.iam.models import get_account_id_from

    return environ.get("HTTP_X_MOTO_ACCOUNT_ID") or get_account_id_from(access_key)


def body_of(environ):
    """The request's body, which stays there for anyone who reads it next."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length == 0 or length > LONGEST_BODY:
        return b""
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


class RestOperations:
    """The operations of a service that has none in its requests: found by method, path and query, in botocore's model."""

    def __init__(self, service):
        import botocore.session

        model = botocore.session.get_session().get_service_model(service)
        self.known = f"sandbox.{service}.operation"
        self.operations = {}
        for name in model.operation_names:
            if model.operation_model(name).deprecated:
                continue
            http = model.operation_model(name).http
            path, _, query = http["requestUri"].partition("?")
            # S3's paths are the bucket, or the bucket and a key; a key may hold slashes.
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path))
            wanted = dict(parse_qsl(query, keep_blank_values=True))
            self.operations.setdefault(http["method"], []).append((name, re.compile(pattern.rstrip("/") + "/?$"), wanted))
        # The operation that asks for more of the query comes first; of equals the shortest name: PutObject before CopyObject.
        for operations in self.operations.values():
            operations.sort(key=lambda each: (-len(each[2]), len(each[0])))

    def find(self, environ, path, query):
        # Several layers want to know it of the same request.
        if self.known not in environ:
            environ[self.known] = self.look(environ["REQUEST_METHOD"], path, query)
        return environ[self.known]

    def look(self, method, path, query):
        found = []
        for name, pattern, wanted in self.operations.get(method, []):
            if not all(key in query and (not value or query[key] == value) for key, value in wanted.items()):
                continue
            match = pattern.match(path)
            if match:
                found.append((name, match.groupdict()))
        for name, parameters in found:
            if name == query.get("x-id"):
                return name, parameters
        return found[0] if found else (f"{method} {path}", {})
