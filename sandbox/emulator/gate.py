"""Refuses what AWS's CloudTrail refuses: moto creates a trail whatever the policies of its bucket and key are.

Here is only what a request is about: who asks, for which trail, with which bucket and key. Whether AWS would refuse it is
decided in refusals.ts, by Crosstrail's evaluator of policies, in a Node.js process of its own (gate.js).
"""

import json
import logging
import os
import re
import subprocess

# Those that test whether the trail can deliver: the ones whose errors speak of the bucket's policy.
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutInsightSelectors.html
DELIVERING = ["create_trail", "update_trail", "put_insight_selectors"]
OPERATIONS = [*DELIVERING, "delete_trail", "put_event_selectors", "start_logging", "stop_logging"]


class Judge:
    """The other process. A question and its answer are a line of JSON each, one at a time: see server.py."""

    def start(self, node):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gate.js")
        # What the user asks of Node.js is not for this one.
        env = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
        # It ends when its stdin does, and the system closes that however this process ends.
        self.process = subprocess.Popen([node, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)

    def ask(self, call):
        try:
            self.process.stdin.write(json.dumps(call).encode() + b"\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())["refusal"]
        except (OSError, ValueError) as error:
            # Not an answer of AWS's, and not one that a client would try again.
            message = f"The sandbox cannot judge policies ({error}): see emulator.log"
            return {"code": "SandboxException", "message": message, "why": []}


def apply(judge):
    from moto.cloudtrail.responses import CloudTrailResponse

    for operation in OPERATIONS:
        setattr(CloudTrailResponse, operation, gated(operation, getattr(CloudTrailResponse, operation), judge))


def gated(operation, method, judge):
    from moto.core.exceptions import JsonRESTError

    def gate(response):
        call = describe(operation, response.current_account, response.region, json.loads(response.body or "{}"))
        refusal = judge.ask(call)
        if refusal:
            logging.info("%s for account %s: %s", operation, response.current_account, refusal["message"])
            for reason in refusal["why"]:
                logging.info("  %s", reason)
            raise JsonRESTError(refusal["code"], refusal["message"])
        return method(response)

    return gate


def describe(operation, account, region, parameters, trail=None):
    """What refusals.ts wants to know: see its `Call`. `trail` is given where it is known: a deleted one is not found any more."""
    from moto.cloudtrail.models import cloudtrail_backends
    from moto.utilities.utils import get_partition

    partition = get_partition(region)
    name = parameters.get("Name") or parameters.get("TrailName") or ""
    # Those of other Regions are seen here if they are multi-Region trails.
    seen = list(cloudtrail_backends[account][region].describe_trails(include_shadow_trails=True))
    known = [trail for backend in cloudtrail_backends[account].values() for trail in backend.trails.values()]
    trail = trail or next((each for each in known if each.arn == name), None)
    trail = trail or next((each for each in seen if each.trail_name == name), None)
    call = {
        "operation": operation,
        "partition": partition,
        "account": account,
        "region": region,
        "name": name,
        "namesTaken": [each.trail_name for each in seen],
        "trail": trail and {"arn": trail.arn, "homeRegion": trail.region_name},
    }
    # No Insights: nothing more will be delivered.
    if operation not in [*DELIVERING, "deliver"] or parameters.get("InsightSelectors") == []:
        return call

    def setting(parameter, attribute):
        # An update leaves what it does not name.
        given = parameters.get(parameter)
        return given if given is not None else getattr(trail, attribute, None)

    bucket, key = setting("S3BucketName", "bucket_name"), setting("KmsKeyId", "kms_key_id")
    call["delivery"] = {
        "bucketName": bucket or "",
        "logPrefix": setting("S3KeyPrefix", "s3_key_prefix") or "",
        "keyId": key or "",
        "validation": bool(setting("EnableLogFileValidation", "log_validation")),
        "forOrganization": bool(setting("IsOrganizationTrail", "is_org_trail")),
        "bucket": describe_bucket(bucket, partition),
        "key": describe_key(key, account, region) if key else None,
        "organization": describe_organization(account, partition),
    }
    return call


def describe_bucket(name, partition):
    from moto.s3.models import s3_backends

    found_in, owner = s3_backends.bucket_accounts.get(name, (None, None))
    bucket = s3_backends[owner][partition].buckets.get(name) if found_in == partition else None
    if not bucket:
        return None
    rules = (bucket.encryption or {}).get("Rule") or []
    rules = rules if isinstance(rules, list) else [rules]
    return {
        "account": owner,
        "region": bucket.region_name,
        "policy": bucket.policy.decode(errors="replace") if bucket.policy else None,
        "bucketKey": any(str(rule.get("BucketKeyEnabled")).lower() == "true" for rule in rules),
    }


def describe_key(key_id, account, region):
    from moto.kms.models import kms_backends

    # What is not an ARN is looked up among the caller's keys.
    arn = re.match(r"arn:[^:]+:kms:([^:]+):(\d{12}):", key_id)
    region, account = arn.groups() if arn else (region, account)
    try:
        key = kms_backends[account][region].describe_key(key_id)
    except (AttributeError, KeyError):
        return None
    return {"arn": key.arn, "region": region, "state": key.key_state, "spec": key.key_spec, "policy": key.policy}


def describe_organization(account, partition):
    from moto.organizations.models import organizations_backends

    management, _ = organizations_backends.master_accounts.get(account, (account, partition))
    organization = organizations_backends[management][partition].org
    return organization and {"id": organization.id, "managementAccount": organization.master_account_id}
