"""What Crosstrail's sandbox adds to moto 5.2.5, because the AWS provider and the program rely on it:

- KMS keeps a key's rotation period and tells it. moto drops it, and every preview would want to set it again.
- DeleteTrail takes a trail's ARN as well as its name. moto looks for the name only, says it is done, and keeps the trail.
- DescribeTrails answers with the trails that were asked for. moto answers with all of them, and the provider then waits
  for the one it has just made until it gives up, as soon as an account has two.
- trails.py: what a trail records and where else it delivers.
- event_data_stores.py: CloudTrail Lake's event data stores.
"""

import json

import event_data_stores
import trails


def apply():
    trails.apply()
    event_data_stores.apply()
    rotation_period()
    delete_trail_by_arn()
    describe_trails_by_name()


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
