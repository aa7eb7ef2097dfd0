"""A CloudTrail that delivers: what trails record, as files in their buckets, with digests, as CloudTrail's documentation describes
it. moto keeps trails and delivers nothing.

- Every five minutes of the sandbox's time, each trail that logs writes one file for each account and Region with new events. The
  write is a request of CloudTrail's own, judged by the policies of the bucket and the key as they are then (gate.py). A file that
  is refused is tried again for 30 days.
- Every hour after logging starts, a digest for each trail with log file validation, account and Region, with or without events.
- GetTrailStatus, LookupEvents and ListPublicKeys answer from what happened.
- CloudWatch Logs, SNS topics and the bucket's notifications get what AWS would send.

What differs from AWS: deliveries are as regular as a clock; the sandbox's accounts have few Regions enabled (--regions), so that an
hour is some ten digests and not some hundred; Insights, aggregated and network activity events are never delivered.
"""

import base64
import datetime
import gzip
import hashlib
import json
import logging
from collections import defaultdict, deque

import gate
from clock import CLOCK, stamp

DELIVERY = datetime.timedelta(minutes=5)
HOUR = datetime.timedelta(hours=1)
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
TRIED_FOR = datetime.timedelta(days=30)
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
LOOK_BACK = datetime.timedelta(days=90)
MOST_LOOKED_UP = 20_000
# Published samples of keys are valid for 30 days; a new one is used each 15, so two are always valid.
KEY_VALIDITY = datetime.timedelta(days=30)
KEY_PERIOD = datetime.timedelta(days=15)
EPOCH = datetime.datetime(1970, 1, 1)
# CloudWatch Logs: events over this size are never sent.
LONGEST_LOG_EVENT = 256 * 1024


class Stream:
    """The digests of a trail for an account and a Region, since logging or validation began."""

    def __init__(self, session, start):
        self.session = session
        self.start = start
        self.previous = None
        self.logs = []


class CloudTrail:
    def __init__(self, options, recorder, judge):
        self.options = options
        self.recorder = recorder
        self.judge = judge
        self.buffers = defaultdict(list)
        self.pending = []
        self.streams = {}
        self.status = defaultdict(dict)
        self.history = defaultdict(lambda: deque(maxlen=MOST_LOOKED_UP))
        self.keys = {}
        self.ending = {}
        self.late = 0
        self.held = defaultdict(list)
        self.next = following(CLOCK.now())

    # What is recorded

    def logging_trails(self):
        from moto.cloudtrail.models import cloudtrail_backends

        return {
            trail.arn: trail
            for backends in list(cloudtrail_backends.values())
            for backend in list(backends.values())
            for trail in backend.trails.values()
            if trail.status.is_logging
        }

    def record(self, before, environ, status, headers, body):
        """A call was answered: its events, in every trail that logged before it or logs after it."""
        # LookupEvents has management events only: without a trail nobody sees others.
        events = self.recorder.record(environ, status, headers, body, with_data=bool(before or self.logging_trails()))
        if not events:
            return
        after = self.logging_trails()
        for arn in before.keys() - after.keys():
            # Stopped or deleted: what it recorded is still delivered, and a last digest.
            self.ending[arn] = before[arn]
        for account, event in events:
            self.take({**before, **after}, account, event)

    def take(self, trails, account, event):
        if event["managementEvent"]:
            self.history[account, event["awsRegion"]].append(event)
        for trail in trails.values():
            if account in self.accounts_of(trail) and covers(trail, event) and selects(trail, event):
                self.buffers[trail.arn, account, event["awsRegion"]].append(event)

    def organization_of(self, trail):
        return gate.describe_organization(trail.account_id, trail.partition) if trail.is_org_trail else None

    def accounts_of(self, trail):
        """Those whose events the trail takes, in the organization's own order."""
        if not trail.is_org_trail:
            return [trail.account_id]
        from organizations import backend_of

        organization = backend_of(trail.account_id)
        return [account.id for account in organization.accounts] if organization else [trail.account_id]

    def regions_of(self, trail):
        from moto.utilities.utils import get_partition

        if not trail.is_multi_region:
            return [trail.region_name]
        enabled = [region for region in self.options.regions if get_partition(region) == trail.partition]
        return [trail.region_name, *(region for region in enabled if region != trail.region_name)]

    # Time

    def tick(self):
        """Does what was due since the last call, each at its time."""
        files = 0
        while self.next <= CLOCK.now():
            with CLOCK.at(self.next):
                files += self.deliver_all(self.next)
            self.next += DELIVERY
        return files

    def deliver_all(self, now):
        trails, files = self.logging_trails(), 0
        known = {**self.ending, **trails}
        self.open_streams(trails, now)
        waiting, self.pending = self.pending, []
        for each in waiting:
            files += self.attempt(each, now)
        for (arn, account, region), events in list(self.buffers.items()):
            trail = known.get(arn)
            if trail and events:
                files += self.attempt(self.log_file(trail, account, region, events, now), now)
                self.to_log_group(trail, account, region, events, now)
        self.buffers.clear()
        files += self.backfill(known, now)
        for key, stream in list(self.streams.items()):
            trail = known.get(key[0])
            over = trail is None or key[0] not in trails or stream.session != trail.status.started
            off = trail is not None and not trail.log_validation
            while trail and not off and stream.start + HOUR <= now:
                files += self.digest(trail, key, stream, stream.start + HOUR, now)
            if over and trail and not off:
                # Up to and with the event that stopped it.
                files += self.digest(trail, key, stream, now, now)
            if over or off:
                del self.streams[key]
        self.ending.clear()
        # A trail that was stopped and started within five minutes begins a new chain.
        self.open_streams(trails, now)
        return files

    def open_streams(self, trails, now):
        for trail in trails.values():
            if not trail.log_validation:
                continue
            begun = max(trail.status.started, getattr(trail, "validated_since", trail.status.started))
            for account in self.accounts_of(trail):
                for region in self.regions_of(trail):
                    self.streams.setdefault((trail.arn, account, region), Stream(trail.status.started, begun.replace(microsecond=0)))

    # Files

    def folder(self, trail, account, kind, region, moment):
        organization = self.organization_of(trail)
        parts = [trail.s3_key_prefix, "AWSLogs", organization and organization["id"], account, kind, region]
        return "/".join([*filter(None, parts), moment.strftime("%Y/%m/%d")])

    def log_file(self, trail, account, region, events, now):
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        suffix = "".join(self.recorder.random.choices(letters, k=16))
        folder = self.folder(trail, account, "CloudTrail", region, now)
        body = json.dumps({"Records": events}, separators=(",", ":")).encode()
        return {
            "trail": trail,
            "account": account,
            "region": region,
            "kind": "log",
            "due": now,
            "key": f"{folder}/{account}_CloudTrail_{region}_{now.strftime('%Y%m%dT%H%MZ')}_{suffix}.json.gz",
            "body": body,
            "times": (min(event["eventTime"] for event in events), max(event["eventTime"] for event in events)),
        }

    def attempt(self, file, now):
        """Writes a file through the policies. Refused, it waits for the next time."""
        trail, is_log = file["trail"], file["kind"] == "log"
        refusal = self.put(file)
        self.note(trail, file["region"], "Digest" if not is_log else "", now, refusal)
        if refusal:
            logging.info("CloudTrail could not write %s for %s: %s", file["key"], trail.arn, refusal)
            if now - file["due"] < TRIED_FOR:
                self.pending.append(file)
            return 0
        if is_log:
            entry = {
                "s3Bucket": trail.bucket_name,
                "s3Object": file["key"],
                "hashValue": hashlib.sha256(file["body"]).hexdigest(),
                "hashAlgorithm": "SHA-256",
                "newestEventTime": file["times"][1],
                "oldestEventTime": file["times"][0],
            }
            stream_key = (trail.arn, file["account"], file["region"])
            stream = self.streams.get(stream_key)
            if stream and self.late > 0:
                self.late -= 1
                self.held[stream_key].append((now, entry))
            elif stream:
                stream.logs.append((now, entry))
            self.to_topic(trail, file, now)
        return 1

    def put(self, file):
        """None, or the code of S3's refusal."""
        from moto.s3.models import s3_backends

        trail = file["trail"]
        call = gate.describe("deliver", trail.account_id, trail.region_name, {"Name": trail.arn}, trail)
        call["file"] = {"kind": file["kind"], "account": file["account"], "region": file["region"]}
        refusal = self.judge.ask(call)
        if refusal:
            return refusal["code"]
        _, owner = s3_backends.bucket_accounts[trail.bucket_name]
        backend = s3_backends[owner][trail.partition]
        bucket = backend.get_bucket(trail.bucket_name)
        key = call["delivery"]["key"]
        value = gzip.compress(file["body"], mtime=0)
        lock = {}
        if bucket.has_default_lock:
            lock = {"lock_mode": bucket.default_lock_mode, "lock_until": bucket.default_retention()}
        encryption = {"encryption": "aws:kms", "kms_key_id": key["arn"]} if key else {}
        written = backend.put_object(trail.bucket_name, file["key"], value, disable_notification=True, **encryption, **lock)
        metadata = {"Content-Type": "application/json", "Content-Encoding": "gzip", **file.get("metadata", {})}
        written.set_metadata(metadata)
        # The encryption context of a file with a key names its trail: see s3_gate.py.
        written.cloudtrail_arn = trail.arn
        self.notify_bucket(bucket, written, owner)
        event = self.recorder.service_write(trail.bucket_name, file["key"], owner, trail.partition, bucket.region_name)
        self.take(self.logging_trails(), owner, event)
        return None

    @staticmethod
    def notify_bucket(bucket, key, owner):
        from moto.s3 import notifications

        # After the metadata: who is told may read the object at once.
        notifications.send_event(owner, notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT, bucket, key)

    def note(self, trail, region, kind, now, error):
        """Status is kept for each Region, as GetTrailStatus answers for the Region that it is asked in."""
        status = self.status[trail.arn, region]
        name = f"Latest{kind}Delivery"
        if error:
            status[f"{name}Error"] = error
        else:
            status.pop(f"{name}Error", None)
            status[f"{name}Time"] = now
        if not kind:
            status["LatestDeliveryAttemptTime"] = stamp(now)
            status["LatestDeliveryAttemptSucceeded"] = "" if error else stamp(now)

    # Where else logs go

    def to_topic(self, trail, file, now):
        from moto.sns.models import sns_backends

        arn = trail.topic_arn
        if not arn:
            return
        status = self.status[trail.arn, file["region"]]
        status["LatestNotificationAttemptTime"] = stamp(now)
        try:
            region, owner = arn.split(":")[3:5]
            message = json.dumps({"s3Bucket": trail.bucket_name, "s3ObjectKey": [file["key"]]})
            sns_backends[owner][region].publish(message, arn)
        except Exception as error:  # what moto raises differs by what is missing
            logging.info("CloudTrail could not notify %s: %s", arn, error)
            status["LatestNotificationError"] = "NotFound"
            return
        status.pop("LatestNotificationError", None)
        status["LatestNotificationTime"] = now
        status["LatestNotificationAttemptSucceeded"] = stamp(now)

    def to_log_group(self, trail, account, region, events, now):
        from moto.iam.models import iam_backends
        from moto.logs.models import logs_backends

        arn = trail.cw_log_group_arn
        if not arn:
            return
        status = self.status[trail.arn, region]
        roles = [role.arn for role in iam_backends[trail.account_id][trail.partition].roles.values()]
        group = ":".join(arn.removesuffix(":*").split(":")[6:])
        backend = logs_backends[trail.account_id][trail.region_name]
        if trail.cw_role_arn not in roles or group not in backend.groups:
            status["LatestCloudWatchLogsDeliveryError"] = "AccessDenied" if group in backend.groups else "ResourceNotFoundException"
            return
        organization = self.organization_of(trail)
        owner = f"{organization['id']}_{account}" if organization else account
        name = f"{owner}_CloudTrail_{region}"
        if name not in backend.groups[group].streams:
            backend.create_log_stream(group, name)
        millis = int((now - EPOCH).total_seconds() * 1000)
        lines = [json.dumps(event, separators=(",", ":")) for event in events]
        sent = [{"timestamp": millis, "message": line} for line in lines if len(line) <= LONGEST_LOG_EVENT]
        if sent:
            backend.groups[group].put_log_events(name, sent)
        status.pop("LatestCloudWatchLogsDeliveryError", None)
        status["LatestCloudWatchLogsDeliveryTime"] = now

    # Digests: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html

    def digest(self, trail, key, stream, end, now):
        entries = [entry for moment, entry in stream.logs if moment <= end]
        stream.logs = [(moment, entry) for moment, entry in stream.logs if moment > end]
        file = self.signed(trail, key, stream.start, end, entries, stream.previous, now)
        # The next one names it even if it could not be written yet.
        stream.previous = {
            "bucket": trail.bucket_name,
            "key": file["key"],
            "hash": hashlib.sha256(file["body"]).hexdigest(),
            "signature": file["metadata"]["x-amz-meta-signature"],
        }
        stream.start = end
        return self.attempt(file, now)

    def backfill(self, known, now):
        """Logs that their hour's digest did not name, because their processing was late: a digest beside the chain."""
        files = 0
        for key, held in list(self.held.items()):
            trail = known.get(key[0])
            due = [entry for moment, entry in held if moment + 2 * HOUR <= now]
            if not trail or not due:
                continue
            self.held[key] = [(moment, entry) for moment, entry in held if moment + 2 * HOUR > now]
            end = min(moment for moment, _ in held) + HOUR
            files += self.attempt(self.signed(trail, key, end - HOUR, end, due, None, now, backfill=True), now)
        return files

    def signed(self, trail, key, start, end, entries, previous, now, backfill=False):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        _, account, region = key
        pair = self.key_pair(region, now)
        folder = self.folder(trail, account, "CloudTrail-Digest", region, end)
        name = f"{account}_CloudTrail-Digest_{region}_{trail.trail_name}_{trail.region_name}_{end.strftime('%Y%m%dT%H%M%SZ')}"
        path = f"{folder}/{name}{'_backfill' if backfill else ''}.json.gz"
        document = {
            "awsAccountId": account,
            "digestStartTime": stamp(start),
            "digestEndTime": stamp(end),
            "digestS3Bucket": trail.bucket_name,
            "digestS3Object": path,
            "digestPublicKeyFingerprint": pair["fingerprint"],
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": max((entry["newestEventTime"] for entry in entries), default=None),
            "oldestEventTime": min((entry["oldestEventTime"] for entry in entries), default=None),
            "previousDigestS3Bucket": previous and previous["bucket"],
            "previousDigestS3Object": previous and previous["key"],
            "previousDigestHashValue": previous and previous["hash"],
            "previousDigestHashAlgorithm": previous and "SHA-256",
            "previousDigestSignature": previous and previous["signature"],
            "logFiles": entries,
        }
        body = json.dumps(document, separators=(",", ":")).encode()
        to_sign = "\n".join(
            [
                document["digestEndTime"],
                f"{trail.bucket_name}/{path}",
                hashlib.sha256(body).hexdigest(),
                document["previousDigestSignature"] or "null",
            ]
        )
        signature = pair["private"].sign(to_sign.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
        metadata = {"x-amz-meta-signature": signature, "x-amz-meta-signature-algorithm": "SHA256withRSA"}
        if backfill:
            metadata["x-amz-meta-backfill-generation-timestamp"] = stamp(now)
        return {
            "trail": trail,
            "account": account,
            "region": region,
            "kind": "digest",
            "due": now,
            "key": path,
            "body": body,
            "metadata": metadata,
        }

    def key_pair(self, region, moment):
        return self.pair(region, int((moment - EPOCH) / KEY_PERIOD))

    def pair(self, region, number):
        """The key that a Region signs with in the period of that number; it is valid for the period after that, too."""
        found = self.keys.get((region, number))
        if found:
            return found
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        start = EPOCH + number * KEY_PERIOD
        found = {
            "private": private,
            "value": base64.b64encode(der).decode(),
            "fingerprint": hashlib.md5(der, usedforsecurity=False).hexdigest(),
            "from": start,
            "until": start + KEY_VALIDITY,
        }
        self.keys[region, number] = found
        return found

    def public_keys(self, region, start, end):
        """Those that were used: keys that never signed anything are of no use to anybody."""
        return [
            {
                "Value": pair["value"],
                "ValidityStartTime": (pair["from"] - EPOCH).total_seconds(),
                "ValidityEndTime": (pair["until"] - EPOCH).total_seconds(),
                "Fingerprint": pair["fingerprint"],
            }
            for (place, _), pair in sorted(self.keys.items())
            if place == region and pair["from"] <= end and start <= pair["until"]
        ]


def following(moment):
    """The next five minutes of the clock."""
    return EPOCH + (int((moment - EPOCH) / DELIVERY) + 1) * DELIVERY


def covers(trail, event):
    """Whether the trail looks at the event's Region. Global services' events are those of one Region."""
    from cloudtrail_events import GLOBAL_SERVICES

    is_global = event["eventSource"].split(".")[0] in GLOBAL_SERVICES
    if is_global and trail.include_global_service_events is False:
        return False
    return bool(trail.is_multi_region) or event["awsRegion"] == trail.region_name


def selects(trail, event):
    if trail.advanced_event_selectors:
        return any(advanced_matches(each["FieldSelectors"], event) for each in trail.advanced_event_selectors)
    return any(basic_matches(each, event) for each in trail.event_selectors or [{}])


def basic_matches(selector, event):
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html"""
    wanted = selector.get("ReadWriteType", "All")
    if wanted != "All" and (wanted == "ReadOnly") != event["readOnly"]:
        return False
    if event["managementEvent"]:
        excluded = selector.get("ExcludeManagementEventSources") or []
        return selector.get("IncludeManagementEvents", True) is not False and event["eventSource"] not in excluded
    for resource in selector.get("DataResources") or []:
        for each in event.get("resources") or []:
            if each["type"] == resource["Type"] and any(each["ARN"].startswith(value) for value in resource.get("Values") or []):
                return True
    return False


def advanced_matches(fields, event):
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html"""
    return all(field_matches(field, event) for field in fields)


def field_matches(field, event):
    values = values_of(field["Field"], event)
    if values is None:
        return False
    tests = {
        "Equals": lambda value, wanted: value == wanted,
        "StartsWith": str.startswith,
        "EndsWith": str.endswith,
    }
    for name, test in tests.items():
        if field.get(name) and not any(test(value, wanted) for value in values for wanted in field[name]):
            return False
        if field.get(f"Not{name}") and any(test(value, wanted) for value in values for wanted in field[f"Not{name}"]):
            return False
    return True


def values_of(name, event):
    """The event's values of a selector's field; None where an event of its kind has no such field."""
    resources = event.get("resources") or []
    if name == "resources.type":
        # The object's type stands first; the bucket is named beside it.
        return [each["type"] for each in resources[:1]]
    if name == "resources.ARN":
        return [each["ARN"] for each in resources[:1]]
    if name == "readOnly":
        return ["true" if event["readOnly"] else "false"]
    if name == "userIdentity.arn":
        return [event["userIdentity"].get("arn", "")]
    value = event.get(name)
    return None if value is None else [value]


def apply(cloudtrail):
    """Gives CloudTrail's API the answers of what happened."""
    from moto.cloudtrail.models import Trail, cloudtrail_backends
    from moto.cloudtrail.responses import CloudTrailResponse
    from moto.core.exceptions import JsonRESTError

    create, update = Trail.__init__, Trail.update

    def init(self, *args, **kwargs):
        create(self, *args, **kwargs)
        self.validated_since = CLOCK.now()

    def changed(self, **settings):
        was_on = self.log_validation
        update(self, **settings)
        if self.log_validation and not was_on:
            self.validated_since = CLOCK.now()

    def get_trail_status(self):
        name = self._get_param("Name")
        status = self.cloudtrail_backend.get_trail_status(name)
        trail = next(
            trail
            for backends in list(cloudtrail_backends.values())
            for backend in list(backends.values())
            for trail in backend.trails.values()
            if trail.status is status
        )
        # CloudTrail leaves out what has not happened.
        answer = {"IsLogging": status.is_logging, "LatestDeliveryAttemptTime": "", "LatestDeliveryAttemptSucceeded": ""}
        answer |= {"LatestNotificationAttemptTime": "", "LatestNotificationAttemptSucceeded": ""}
        for name, moment in (("Start", status.started), ("Stop", status.stopped)):
            word = {"Start": "Started", "Stop": "Stopped"}[name]
            answer[f"TimeLogging{word}"] = stamp(moment) if moment else ""
            if moment:
                answer[f"{name}LoggingTime"] = (moment - EPOCH).total_seconds()
        for key, value in cloudtrail.status[trail.arn, self.region].items():
            answer[key] = (value - EPOCH).total_seconds() if isinstance(value, datetime.datetime) else value
        return json.dumps(answer)

    def list_public_keys(self):
        now = CLOCK.now()
        end = moment_of(self._get_param("EndTime")) or now
        start = moment_of(self._get_param("StartTime")) or end - datetime.timedelta(days=1)
        if start > end:
            raise JsonRESTError("InvalidTimeRangeException", "The start time must be before the end time.")
        return json.dumps({"PublicKeyList": cloudtrail.public_keys(self.region, start, end)})

    def lookup_events(self):
        return json.dumps(look_up(cloudtrail, self))

    Trail.__init__ = init
    Trail.update = changed
    CloudTrailResponse.get_trail_status = get_trail_status
    CloudTrailResponse.list_public_keys = list_public_keys
    CloudTrailResponse.lookup_events = lookup_events


def moment_of(value):
    """The API takes seconds."""
    return EPOCH + datetime.timedelta(seconds=float(value)) if value is not None else None


LOOKUP = {
    "EventId": lambda event: [event["eventID"]],
    "EventName": lambda event: [event["eventName"]],
    "EventSource": lambda event: [event["eventSource"]],
    "ReadOnly": lambda event: ["true" if event["readOnly"] else "false"],
    "Username": lambda event: [username(event)],
    "AccessKeyId": lambda event: [event["userIdentity"].get("accessKeyId")],
    "ResourceName": lambda event: [name for _, name in resources_of(event)],
    "ResourceType": lambda event: [kind for kind, _ in resources_of(event)],
}


def look_up(cloudtrail, response):
    """The newest first: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"""
    from moto.core.exceptions import JsonRESTError

    attributes = response._get_param("LookupAttributes") or []
    if len(attributes) > 1 or any(each.get("AttributeKey") not in LOOKUP for each in attributes):
        raise JsonRESTError("InvalidLookupAttributesException", "Specify one lookup attribute that LookupEvents knows.")
    most = int(response._get_param("MaxResults") or 50)
    if not 1 <= most <= 50:
        raise JsonRESTError("InvalidMaxResultsException", "MaxResults is 1 to 50.")
    now = CLOCK.now()
    oldest = max(moment_of(response._get_param("StartTime")) or now - LOOK_BACK, now - LOOK_BACK)
    newest = moment_of(response._get_param("EndTime")) or now
    if oldest > newest:
        raise JsonRESTError("InvalidTimeRangeException", "The start time must be before the end time.")
    found = [
        event
        for event in reversed(cloudtrail.history[response.current_account, response.region])
        if stamp(oldest) <= event["eventTime"] <= stamp(newest)
        and all(each["AttributeValue"] in LOOKUP[each["AttributeKey"]](event) for each in attributes)
    ]
    try:
        begin = int(response._get_param("NextToken") or 0)
    except ValueError:
        raise JsonRESTError("InvalidNextTokenException", "The token is not valid.")
    answer = {"Events": [described(event) for event in found[begin : begin + most]]}
    if begin + most < len(found):
        answer["NextToken"] = str(begin + most)
    return answer


def described(event):
    moment = datetime.datetime.strptime(event["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": "true" if event["readOnly"] else "false",
        "AccessKeyId": event["userIdentity"].get("accessKeyId"),
        "EventTime": (moment - EPOCH).total_seconds(),
        "EventSource": event["eventSource"],
        "Username": username(event),
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in resources_of(event)],
        "CloudTrailEvent": json.dumps(event),
    }


def username(event):
    identity = event["userIdentity"]
    return identity.get("userName") or identity.get("arn", "").split("/")[-1] or None


def resources_of(event):
    return [(each["type"], each["ARN"]) for each in event.get("resources") or []]


