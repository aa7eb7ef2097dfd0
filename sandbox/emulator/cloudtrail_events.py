"""Turns the calls to the emulator into events, as CloudTrail records them.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

What differs from AWS: every signed call is recorded, also of services that CloudTrail does not cover; `tlsDetails` are made up,
as the emulator speaks plain HTTP; calls that AWS services make for each other are not recorded, except CloudTrail's own writes
to a bucket whose data events a trail records.
"""

import hashlib
import json
import random
import re
import uuid
from urllib.parse import parse_qsl, unquote

from calls import account_of, body_of
from clock import CLOCK, stamp

EVENT_VERSION = "1.11"
# Their events are in us-east-1 only, wherever the call was made (in GovCloud and China the Region of that name there).
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
GLOBAL_SERVICES = {"iam", "organizations", "cloudfront", "route53"}
GLOBAL_REGION = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
READ_ONLY = re.compile(r"^(Get|List|Describe|Head|Lookup|Search|Select|BatchGet|Scan|Query|Validate|Test|Detect|Check|Preview)")
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# CloudTrail leaves secrets out, or hides them.
SECRET = re.compile(r"^(password|newPassword|oldPassword|secret\w*|plaintext|ciphertext\w*|sessionToken|privateKey|key)$", re.I)
# Data events: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
S3_OBJECT_OPERATIONS = re.compile(
    r"^(Get|Put|Head|Delete|Copy|Restore|Upload|List|Select|Abort|Complete|Create|Rename)\w*(Object|Objects|ObjectAcl|ObjectTagging|"
    r"ObjectRetention|ObjectLegalHold|ObjectTorrent|ObjectAttributes|ObjectContent|Part|PartCopy|MultipartUpload|Parts)(V2)?$"
)
DATA_OPERATIONS = {
    "lambda": ({"Invoke", "InvokeAsync"}, "AWS::Lambda::Function"),
    "dynamodb": ({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "Query", "Scan"}, "AWS::DynamoDB::Table"),
    "sns": ({"Publish", "PublishBatch"}, "AWS::SNS::Topic"),
    "sqs": ({"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch"}, "AWS::SQS::Queue"),
}
LONGEST_VALUE = 100_000


def apply():
    """A session's events say when it began; moto keeps its end only."""
    from moto.sts.models import AssumedRole

    create = AssumedRole.__init__

    def init(self, *args, **kwargs):
        create(self, *args, **kwargs)
        self.created = CLOCK.now()

    AssumedRole.__init__ = init


class Recorder:
    """Makes an event of a call and its answer. Of the same seed come the same ids."""

    def __init__(self, options, rest):
        self.options = options
        self.random = random.Random(options.seed)
        self.rest = rest

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def record(self, environ, status, headers, body, with_data=True):
        """The events of a call, each as (account, event); none of what is not signed."""
        from moto.utilities.utils import get_partition

        scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        if not scope:
            return []
        access_key, region, service = scope.groups()
        operation, request, resources = self.request(environ, service)
        account = account_of(environ, access_key)
        partition = get_partition(region)
        is_data, read_only = kind_of(service, operation)
        if is_data and not with_data:
            return []
        event = {
            "eventVersion": EVENT_VERSION,
            "userIdentity": identity(access_key, account, partition, self.options),
            "eventTime": stamp(CLOCK.now()),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": operation,
            "awsRegion": GLOBAL_REGION.get(partition, region) if service in GLOBAL_SERVICES else region,
            "sourceIPAddress": environ.get("REMOTE_ADDR", "127.0.0.1"),
            "userAgent": environ.get("HTTP_USER_AGENT", "-"),
            **error_of(status, body),
            "requestParameters": request or None,
            "responseElements": None if read_only or status >= 400 else self.response(service, operation, status, headers, body),
            "requestID": self.uuid(),
            "eventID": self.uuid(),
            "readOnly": read_only,
            **({"resources": resources(partition, account)} if resources else {}),
            "eventType": "AwsApiCall",
            "managementEvent": not is_data,
            "recipientAccountId": account,
            "eventCategory": "Data" if is_data else "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": environ.get("HTTP_HOST", "").split(":")[0] or "localhost",
            },
        }
        events = [(account, event)]
        owner = assumed_in(operation, request)
        if owner and owner != account:
            # Who assumes a role of another account is told in both, under one id.
            event["sharedEventID"] = self.uuid()
            events.append(
                (
                    owner,
                    {
                        **event,
                        "userIdentity": {
                            "type": "AWSAccount",
                            "principalId": event["userIdentity"].get("principalId", account),
                            "accountId": account,
                        },
                        "eventID": self.uuid(),
                        "recipientAccountId": owner,
                    },
                )
            )
        return events

    def service_write(self, bucket, key, account, partition, region, service="cloudtrail.amazonaws.com"):
        """CloudTrail's own write, for trails that record the bucket's data events: their logs then never end."""
        return {
            "eventVersion": EVENT_VERSION,
            "userIdentity": {"type": "AWSService", "invokedBy": service},
            "eventTime": stamp(CLOCK.now()),
            "eventSource": "s3.amazonaws.com",
            "eventName": "PutObject",
            "awsRegion": region,
            "sourceIPAddress": service,
            "userAgent": service,
            "requestParameters": {"bucketName": bucket, "key": key, "x-amz-acl": "bucket-owner-full-control"},
            "responseElements": None,
            "requestID": self.uuid(),
            "eventID": self.uuid(),
            "readOnly": False,
            "resources": s3_resources(bucket, key)(partition, account),
            "eventType": "AwsApiCall",
            "managementEvent": False,
            "recipientAccountId": account,
            "sharedEventID": self.uuid(),
            "eventCategory": "Data",
        }

    def request(self, environ, service):
        """The operation, its parameters as CloudTrail spells them, and what gives the resources."""
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        path = unquote(environ.get("PATH_INFO", "/"))
        target = environ.get("HTTP_X_AMZ_TARGET")
        cbor = re.search(r"/operation/(\w+)$", path)
        if service == "s3":
            control = path.startswith("/v20180820/")
            operation, found = self.rest["s3control" if control else "s3"].find(environ, path, query)
            parameters = {
                **({"bucketName": found["Bucket"], "Host": environ.get("HTTP_HOST", "")} if "Bucket" in found else {}),
                **({"key": found["Key"]} if "Key" in found else {}),
                **{name: value for name, value in query.items() if name != "x-id"},
            }
            bucket = found.get("Bucket")
            return operation, parameters, s3_resources(bucket, found.get("Key")) if bucket and not control else None
        if target:
            return target.rsplit(".", 1)[-1], spelled(parsed(body_of(environ))), None
        if cbor:
            return cbor.group(1), {}, None
        form = dict(parse_qsl(body_of(environ).decode("utf8", "replace"), keep_blank_values=True)) or query
        operation = form.pop("Action", f"{environ['REQUEST_METHOD']} {path}")
        form.pop("Version", None)
        return operation, spelled(unflattened(form)), None

    def response(self, service, operation, status, headers, body):
        """What the answer says, read with botocore's model of the service; None where it says nothing."""
        try:
            model = model_of(service)
            shape = model.operation_model(operation).output_shape
            if shape is None or service == "s3":
                return None
            from botocore.parsers import create_parser

            answer = create_parser(model.metadata["protocol"]).parse(
                {"status_code": status, "headers": {name.lower(): value for name, value in headers}, "body": body}, shape
            )
        except Exception:
            # A service or an operation that botocore does not know: CloudTrail's field is optional.
            return None
        answer.pop("ResponseMetadata", None)
        return spelled(answer) or None


MODELS = {}


def model_of(service):
    if service not in MODELS:
        import botocore.session

        MODELS[service] = botocore.session.get_session().get_service_model(service)
    return MODELS[service]


def kind_of(service, operation):
    """Whether it is a data event, and whether it only reads."""
    read_only = bool(READ_ONLY.match(operation))
    if service == "s3":
        return bool(S3_OBJECT_OPERATIONS.match(operation)), read_only
    operations, _ = DATA_OPERATIONS.get(service, ((), ""))
    return operation in operations, read_only


def s3_resources(bucket, key):
    def resources(partition, account):
        arn = f"arn:{partition}:s3:::{bucket}"
        return [
            *([{"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}] if key else []),
            {"accountId": owner_of(bucket) or account, "type": "AWS::S3::Bucket", "ARN": arn},
        ]

    return resources


def owner_of(bucket):
    from moto.s3.models import s3_backends

    return s3_backends.bucket_accounts.get(bucket, (None, None))[1]


def identity(access_key, account, partition, options):
    """Who called. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    role = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
    if role:
        # A role that exists in name only still has one id: moto makes a new one each time.
        made_up = "AROA" + hashlib.sha256(role.role_arn.encode()).hexdigest()[:17].upper()
        known = [each for each in iam_backends[account][partition].roles.values() if each.arn == role.role_arn]
        issuer = known[0].id if known else made_up
        principal = f"{issuer}:{role.session_name}"
        return {
            "type": "AssumedRole",
            "principalId": principal,
            "arn": role.arn,
            "accountId": account,
            "accessKeyId": access_key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": issuer,
                    "arn": role.role_arn,
                    "accountId": account,
                    "userName": role.role_arn.split("/")[-1],
                },
                "attributes": {
                    "creationDate": stamp(role.created),
                    "mfaAuthenticated": "false",
                },
            },
        }
    key = iam_backends[account][partition].access_keys.get(access_key)
    name = getattr(key, "user_name", None) or access_key
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{access_key.upper():X<16.16}",
        "arn": f"arn:{partition}:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": access_key,
        "userName": name,
    }


def error_of(status, body):
    if status < 400:
        return {}
    text = body.decode("utf8", "replace")
    try:
        answer = json.loads(text)
        code, message = answer.get("__type") or answer.get("code") or answer.get("Code"), answer.get("message") or answer.get("Message")
    except (ValueError, AttributeError):
        find = lambda name: (re.search(f"<{name}>([^<]*)</{name}>", text) or [None, None])[1]
        code, message = find("Code"), find("Message")
    code = (code or str(status)).split("#")[-1]
    # CloudTrail writes AWS's names, and for a refused call AccessDenied.
    return {"errorCode": re.sub(r"^AccessDeniedException$", "AccessDenied", code), **({"errorMessage": message} if message else {})}


def assumed_in(operation, request):
    """The account whose role is assumed."""
    if operation != "AssumeRole":
        return None
    found = re.match(r"arn:[^:]+:iam::(\d{12}):role/", str(request.get("roleArn")))
    return found and found.group(1)


def parsed(body):
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def unflattened(form):
    """`Tags.member.1.Key` as lists and objects."""
    tree = {}
    for name, value in form.items():
        node, parts = tree, name.split(".")
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                break
        else:
            node[parts[-1]] = value
    return lists(tree)


def lists(node):
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"}:
        node = node["member"]
    if isinstance(node, dict) and node and all(part.isdigit() for part in node):
        return [lists(node[part]) for part in sorted(node, key=int)]
    return {name: lists(value) for name, value in node.items()} if isinstance(node, dict) else node


def spelled(value):
    """As CloudTrail spells names, without secrets and with times as strings."""
    if isinstance(value, dict):
        return {
            name[:1].lower() + name[1:]: HIDDEN if SECRET.match(name) and isinstance(each, (str, bytes)) and not is_name(name, value) else spelled(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [spelled(each) for each in value]
    if isinstance(value, bytes):
        return HIDDEN
    if hasattr(value, "strftime"):
        return stamp(value)
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return value[:LONGEST_VALUE]
    return value


def is_name(name, siblings):
    """A tag's key is not a secret."""
    return name.lower() == "key" and any(other.lower() == "value" for other in siblings)
