"""What Crosstrail's sandbox adds to moto 5.2.5, because the AWS provider and the program rely on it:

- KMS keeps a key's rotation period and tells it. moto drops it, and every preview would want to set it again.
- DeleteTrail takes a trail's ARN as well as its name. moto looks for the name only, says it is done, and keeps the trail.
- DescribeTrails answers with the trails that were asked for. moto answers with all of them, and the provider then waits
  for the one it has just made until it gives up, as soon as an account has two.
- A replica of a multi-Region key has its own policy, description and tags, and says that it is one; ReplicateKey refuses a key
  of one Region, and a Region that has a replica already. moto makes a copy that says the same as the primary, of any key.
- GetBucketReplication answers with the choice of encrypted objects, which moto drops, and PutBucketReplication wants a versioned
  bucket for the copies.
- trails.py: what a trail records and where else it delivers.
- event_data_stores.py: CloudTrail Lake's event data stores.
- Object Lock can be switched on for a bucket that holds objects, and versioning cannot be suspended under it. moto asks for
  an empty bucket, as S3 did until 2023.
- GetBucketNotificationConfiguration reports EventBridge. moto keeps that to itself, and every preview would switch it on.
- Buckets have MFA Delete: it takes the header of a token to switch it or to write versioning again, and excludes lifecycle
  rules. moto knows nothing of it. That only the root user may do it is not checked, nor is the token.
- Organizations and organization trails: see organizations.py.
"""

import json
import re

import event_data_stores
import organizations
import trails


def apply():
    modules_once()
    trails.apply()
    event_data_stores.apply()
    rotation_period()
    delete_trail_by_arn()
    describe_trails_by_name()
    replica_keys()
    bucket_replication()
    event_bridge_notifications()
    object_lock_on_used_buckets()
    mfa_delete()
    organizations.apply()


def modules_once():
    """For every request moto looks through its own folder for a service of the host's name."""
    from moto import backends

    modules = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules


def rotation_period():
    from moto.kms.responses import KmsResponse

    enable = KmsResponse.enable_key_rotation
    status = KmsResponse.get_key_rotation_status

    def key_of(response):
        return response.kms_backend.keys[response.kms_backend.get_key_id(response._get_param("KeyId"))]

    def enable_key_rotation(self):
        answer = enable(self)
        # 365 days: https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
        key_of(self).rotation_period = self._get_param("RotationPeriodInDays") or 365
        return answer

    def get_key_rotation_status(self):
        answer = json.loads(status(self))
        if answer["KeyRotationEnabled"]:
            answer["RotationPeriodInDays"] = getattr(key_of(self), "rotation_period", 365)
        return json.dumps(answer)

    KmsResponse.enable_key_rotation = enable_key_rotation
    KmsResponse.get_key_rotation_status = get_key_rotation_status


def describe_trails_by_name():
    from moto.cloudtrail.responses import CloudTrailResponse

    describe = CloudTrailResponse.describe_trails

    def describe_trails(self):
        answer = json.loads(describe(self))
        wanted = self._get_param("trailNameList") or []
        if wanted:
            answer["trailList"] = [
                trail for trail in answer["trailList"] if trail["Name"] in wanted or trail["TrailARN"] in wanted
            ]
        return json.dumps(answer)

    CloudTrailResponse.describe_trails = describe_trails


def delete_trail_by_arn():
    from moto.cloudtrail.models import CloudTrailBackend

    delete = CloudTrailBackend.delete_trail

    def delete_trail(self, name):
        delete(self, self.get_trail(name).trail_name)

    CloudTrailBackend.delete_trail = delete_trail


def replica_keys():
    from copy import copy
    from moto.core.exceptions import JsonRESTError
    from moto.kms.models import KmsBackend, kms_backends
    from moto.kms.responses import KmsResponse

    replicate = KmsResponse.replicate_key

    def replicate_key(self, key_id, replica_region):
        primary = self.keys[self.get_key_id(key_id)]
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
        if not primary.multi_region:
            raise JsonRESTError("UnsupportedOperationException", f"{primary.arn} is not a multi-Region primary key.")
        others = kms_backends[self.account_id][replica_region]
        if primary.id in others.keys:
            raise JsonRESTError("AlreadyExistsException", f"{primary.id} already exists in {replica_region}.")
        replica = copy(primary)
        replica.region = replica_region
        replica.arn = primary.arn.replace(f":{self.region_name}:", f":{replica_region}:")
        replica.aliases, replica.grants = {}, {}
        # The list of replicas is the primary's own: it grows in all of them.
        replica.multi_region_configuration = {**primary.multi_region_configuration, "MultiRegionKeyType": "REPLICA"}
        primary.multi_region_configuration["ReplicaKeys"].append({"Arn": replica.arn, "Region": replica_region})
        others.keys[replica.id] = replica
        return replica

    def replicate_key_with_its_own(self):
        answer = json.loads(replicate(self))
        metadata = answer["ReplicaKeyMetadata"]
        backend = kms_backends[self.current_account][self._get_param("ReplicaRegion")]
        replica = backend.keys[metadata["KeyId"]]
        replica.policy = self._get_param("Policy") or replica.generate_default_policy()
        replica.description = metadata["Description"] = self._get_param("Description") or ""
        backend.tagger.tag_resource(replica.id, self._get_param("Tags") or [])
        answer["ReplicaPolicy"] = replica.policy
        return json.dumps(answer)

    KmsBackend.replicate_key = replicate_key
    KmsResponse.replicate_key = replicate_key_with_its_own


def bucket_replication():
    from moto.core.responses import ActionResult
    from moto.s3.exceptions import ReplicationConfigurationNotFoundError, S3ClientError
    from moto.s3.models import S3Backend, s3_backends
    from moto.s3.responses import S3Response

    put = S3Backend.put_bucket_replication

    def put_bucket_replication(self, bucket_name, replication):
        rules = replication["Rule"]
        for rule in [rules] if isinstance(rules, dict) else rules:
            # An empty string counts as missing in this XML.
            rule["Filter"] = {"Prefix": "", **{k: v for k, v in (rule.get("Filter") or {}).items() if v is not None}}
            name = rule["Destination"]["Bucket"].split(":::")[1]
            owner = s3_backends.bucket_accounts.get(name)
            bucket = owner and s3_backends[owner[1]][owner[0]].buckets.get(name)
            if not bucket or not bucket.is_versioned:
                raise S3ClientError("InvalidRequest", "Destination bucket must exist and have versioning enabled.")
        put(self, bucket_name, replication)

    def get_bucket_replication(self):
        self.data["Action"] = "GetBucketReplication"
        replication = self.backend.get_bucket_replication(self.bucket_name)
        if not replication:
            raise ReplicationConfigurationNotFoundError(bucket_name=self.bucket_name)
        # Filter and DeleteMarkerReplication as they were put; moto has constants there.
        names = ["ID", "Priority", "Status", "Destination", "SourceSelectionCriteria", "DeleteMarkerReplication", "Filter"]
        rules = [{name: rule[name] for name in names if rule.get(name) is not None} for rule in replication["Rule"]]
        answer = {"ReplicationConfiguration": {"Role": replication["Role"], "Rules": rules}}
        return self.serialized(ActionResult(answer))

    S3Backend.put_bucket_replication = put_bucket_replication
    S3Response.get_bucket_replication = get_bucket_replication
def event_bridge_notifications():
    from moto.s3.responses import S3Response

    get = S3Response.get_bucket_notification

    def get_bucket_notification(self):
        status, headers, body = get(self)
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if configuration and configuration.event_bridge is not None:
            text = body.decode("utf-8") if isinstance(body, bytes) else body
            end = "</NotificationConfiguration>"
            if end not in text:
                text = re.sub(r"<NotificationConfiguration([^>]*)/>", r"<NotificationConfiguration\1>" + end, text)
            body = text.replace(end, "<EventBridgeConfiguration/>" + end)
        return status, headers, body

    S3Response.get_bucket_notification = get_bucket_notification


def object_lock_on_used_buckets():
    from moto.s3.exceptions import InvalidBucketState
    from moto.s3.models import S3Backend

    def put_object_lock_configuration(self, bucket_name, lock_enabled, mode=None, days=None, years=None):
        bucket = self.get_bucket(bucket_name)
        if not bucket.is_versioned:
            raise InvalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
        bucket.object_lock_enabled = bucket.object_lock_enabled or lock_enabled
        bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days, years

    put = S3Backend.put_bucket_versioning

    def put_bucket_versioning(self, bucket_name, status):
        if status != "Enabled" and self.get_bucket(bucket_name).object_lock_enabled:
            raise InvalidBucketState("An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
        put(self, bucket_name, status)

    S3Backend.put_object_lock_configuration = put_object_lock_configuration
    S3Backend.put_bucket_versioning = put_bucket_versioning


def mfa_delete():
    from moto.core.responses import ActionResult
    from moto.s3.exceptions import BucketAccessDeniedError, InvalidBucketState
    from moto.s3.models import S3Backend
    from moto.s3.responses import S3Response

    put, lifecycle = S3Response._bucket_response_put, S3Backend.put_bucket_lifecycle_configuration

    def is_on(bucket):
        return getattr(bucket, "mfa_delete", None) == "Enabled"

    def bucket_response_put(self, request, bucket_name, querystring):
        if "versioning" not in querystring:
            return put(self, request, bucket_name, querystring)
        bucket = self.backend.get_bucket(bucket_name)
        wanted = re.search(r"<MfaDelete>([A-Za-z]+)</MfaDelete>", self.body.decode("utf-8"))
        if (wanted or is_on(bucket)) and not request.headers.get("x-amz-mfa"):
            raise BucketAccessDeniedError(bucket=bucket_name)
        if wanted and wanted.group(1) == "Enabled" and bucket.rules:
            raise InvalidBucketState("Mfa Authentication is not supported on a bucket with lifecycle configuration. Delete lifecycle configuration before enabling Mfa Authentication.")
        answer = put(self, request, bucket_name, querystring)
        if wanted:
            bucket.mfa_delete = wanted.group(1)
        return answer

    def get_bucket_versioning(self):
        bucket = self.backend.get_bucket(self.bucket_name)
        self.data["Action"] = "GetBucketVersioning"
        result = {"Status": bucket.versioning_status}
        if hasattr(bucket, "mfa_delete"):
            result["MFADelete"] = bucket.mfa_delete
        return self.serialized(ActionResult(result))

    def put_bucket_lifecycle_configuration(self, bucket_name, rules):
        if rules and is_on(self.get_bucket(bucket_name)):
            raise InvalidBucketState("Lifecycle configuration is not supported on a bucket with Mfa Authentication.")
        lifecycle(self, bucket_name, rules)

    S3Response._bucket_response_put = bucket_response_put
    S3Response.get_bucket_versioning = get_bucket_versioning
    S3Backend.put_bucket_lifecycle_configuration = put_bucket_lifecycle_configuration
