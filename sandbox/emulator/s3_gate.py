"""Lets the bucket's policy and the object's key decide who reads, writes, lists and deletes objects. To moto a Deny holds whatever its
conditions are, and a key's policy says nothing at all.

Whether a call is refused is decided in refusals.ts, by Crosstrail's evaluator. The sandbox has no identity policies: anyone who calls
may do in his own account what no policy of the resource denies. Calls that are about the bucket itself are not judged.
"""

import json
import logging
import re

import gate
from calls import account_of

# Where the IAM action has another name than the operation.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
ACTIONS = {
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "HeadBucket": "ListBucket",
    "DeleteObjects": "DeleteObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
JUDGED = {
    "GetObject",
    "PutObject",
    "DeleteObject",
    "ListBucket",
    "ListBucketVersions",
    "GetObjectAcl",
    "PutObjectAcl",
    "GetObjectTagging",
    "PutObjectTagging",
    "GetObjectRetention",
    "PutObjectRetention",
    "PutObjectLegalHold",
}
OF_A_VERSION = {"GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging"}
DECRYPTS = {"GetObject", "CopyObject"}


def apply():
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL


def judge_objects(app, options):
    rest = options.rest["s3"]

    def layer(environ, start_response):
        call = describe(environ, rest, options)
        refusal = call and may_be_refused(call) and options.judge.ask(call)
        if not refusal:
            return app(environ, start_response)
        logging.info("s3 %s: %s", call["action"], refusal["message"])
        code = refusal["code"]
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{text(refusal['message'])}</Message></Error>"
        body = b"" if environ["REQUEST_METHOD"] == "HEAD" else body.encode()
        status = "400 Bad Request" if code.startswith("KMS.") else "403 Forbidden"
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    return layer


def may_be_refused(call):
    """Without any policy of the bucket or a key the bucket's own account may do everything: that needs no judge."""
    bucket = call["bucket"]
    return bucket["policy"] is not None or call["object"] is not None or call["caller"]["account"] != bucket["account"]


def describe(environ, rest, options):
    """What refusals.ts wants to know of a call about objects; None for every other call."""
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/s3/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    if not scope:
        return None
    from urllib.parse import parse_qsl, unquote

    from moto.s3.models import s3_backends
    from moto.utilities.utils import get_partition

    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    path = unquote(environ.get("PATH_INFO", "/"))
    if path.startswith("/v20180820/"):
        return None
    operation, found = rest.find(environ, path, query)
    action = ACTIONS.get(operation, operation)
    partition = get_partition(scope.group(2))
    name = found.get("Bucket")
    place, owner = s3_backends.bucket_accounts.get(name, (None, None))
    if action not in JUDGED or place != partition:
        return None
    bucket = s3_backends[owner][partition].buckets.get(name)
    if not bucket:
        return None
    key, version = found.get("Key"), query.get("versionId")
    account = account_of(environ, scope.group(1))
    arn = f"arn:{partition}:s3:::{name}"
    return {
        "operation": "object",
        "action": f"s3:{action}Version" if version and action in OF_A_VERSION else f"s3:{action}",
        "resource": f"{arn}/{key}" if key else f"{arn}/*" if operation == "DeleteObjects" else arn,
        "caller": caller(scope.group(1), account, partition),
        "prefix": query.get("prefix"),
        "headers": {
            header: environ[variable]
            for header in ("x-amz-acl", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
            if (variable := f"HTTP_{header.upper().replace('-', '_')}") in environ
        },
        "bucket": gate.describe_bucket(name, partition),
        "object": describe_object(bucket, arn, key, version) if key and operation in DECRYPTS else None,
    }


def caller(access_key, account, partition):
    from moto.sts.models import sts_backends

    role = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
    if role:
        return {"account": account, "arn": role.arn, "roleArn": role.role_arn}
    return {"account": account, "arn": f"arn:{partition}:iam::{account}:user/{access_key}"}


def describe_object(bucket, arn, key, version):
    """The object's key and the encryption context that it was written with."""
    versions = bucket.keys.getlist(key, []) or []
    found = next((each for each in reversed(versions) if version in (None, each.version_id)), None)
    key_id = getattr(found, "kms_key_id", None)
    # moto gives every object the bucket's key, also one that was written with another encryption.
    if not key_id or not str(found.encryption).startswith("aws:kms"):
        return None
    described = gate.describe_key(key_id, bucket.account_id, bucket.region_name)
    with_bucket_key = str(getattr(found, "bucket_key_enabled", "")).lower() == "true"
    context = {"aws:s3:arn": arn if with_bucket_key else f"{arn}/{key}"}
    if hasattr(found, "cloudtrail_arn"):
        context["aws:cloudtrail:arn"] = found.cloudtrail_arn
    return {"keyId": key_id, "key": described, "context": context}


def text(value):
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
