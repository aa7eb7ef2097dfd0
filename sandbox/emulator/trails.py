"""What a trail records and where else it delivers, as CloudTrail keeps it. moto 5.2.5 keeps both kinds of event selectors side by
side, says of no trail that it has any, adds Insights to those that are there, and does not look at log groups:

- A trail has basic or advanced event selectors, and its own default until it gets some. An empty list is refused.
- Insights are replaced by what is put; a trail without any says InsightNotEnabledException.
- DescribeTrails tells whether a trail has selectors and Insights, and leaves out what is not set. "" unsets what UpdateTrail changes.
- A log group has to be there, in the trail's account, and comes with a role that is there; a topic may be given by its ARN.
- CloudWatch Logs changes the key of a log group.
"""

import json

from moto.core.exceptions import JsonRESTError

DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


def apply():
    event_selectors()
    insights()
    deliveries()
    log_group_keys()


def event_selectors():
    from moto.cloudtrail.models import Trail

    def put_event_selectors(self, event_selectors, advanced_event_selectors):
        if (event_selectors is None) == (advanced_event_selectors is None) or not (
            event_selectors or advanced_event_selectors
        ):
            raise JsonRESTError(
                "InvalidEventSelectorsException",
                "Specify either EventSelectors or AdvancedEventSelectors, and at least one of them.",
            )
        self.event_selectors = [{**DEFAULT_SELECTOR, **each} for each in event_selectors or []]
        self.advanced_event_selectors = advanced_event_selectors or []

    def get_event_selectors(self):
        # AWS answers with one of the two only.
        if self.advanced_event_selectors:
            return None, self.advanced_event_selectors
        return self.event_selectors or [DEFAULT_SELECTOR], None

    describe = Trail.description

    def description(self, include_region=False):
        answer = describe(self, include_region)
        answer["HasCustomEventSelectors"] = bool(self.advanced_event_selectors) or (
            self.event_selectors not in ([], [DEFAULT_SELECTOR])
        )
        answer["HasInsightSelectors"] = bool(self.insight_selectors)
        return {name: value for name, value in answer.items() if value not in (None, "")}

    Trail.put_event_selectors = put_event_selectors
    Trail.get_event_selectors = get_event_selectors
    Trail.description = description


def insights():
    from moto.cloudtrail.models import Trail
    from moto.cloudtrail.responses import CloudTrailResponse

    get = CloudTrailResponse.get_insight_selectors

    def put_insight_selectors(self, insight_selectors):
        self.insight_selectors = insight_selectors or []

    def get_insight_selectors(self):
        answer = get(self)
        if not json.loads(answer).get("InsightSelectors"):
            raise JsonRESTError("InsightNotEnabledException", "Insights are not enabled on this trail.")
        return answer

    Trail.put_insight_selectors = put_insight_selectors
    CloudTrailResponse.get_insight_selectors = get_insight_selectors


def deliveries():
    from moto.cloudtrail.models import Trail

    update = Trail.update
    create = Trail.__init__

    def check(self):
        check_log_group(self)
        self.check_topic_exists()

    def init(self, *args, **kwargs):
        create(self, *args, **kwargs)
        check_log_group(self)

    def changed(self, **settings):
        before = dict(vars(self))
        update(self, **settings)
        try:
            check(self)
        except Exception:
            vars(self).update(before)
            raise

    def topic_arn(self):
        name = self.sns_topic_name
        if not name or name.startswith("arn:"):
            return name or None
        return f"arn:{self.partition}:sns:{self.region_name}:{self.account_id}:{name}"

    Trail.__init__ = init
    Trail.update = changed
    Trail.topic_arn = property(topic_arn)


def check_log_group(trail):
    from moto.iam.models import iam_backends
    from moto.logs.models import logs_backends

    arn = trail.cw_log_group_arn
    if not arn:
        return
    group = arn.removesuffix(":*").split(":")
    groups = logs_backends[trail.account_id][trail.region_name].groups
    if group[3:5] != [trail.region_name, trail.account_id] or ":".join(group[6:]) not in groups:
        raise JsonRESTError(
            "InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN."
        )
    roles = iam_backends[trail.account_id][trail.partition].roles.values()
    if trail.cw_role_arn not in [role.arn for role in roles]:
        raise JsonRESTError(
            "InvalidCloudWatchLogsRoleArnException", "Access denied. Check the trust relationships for your role."
        )


def log_group_keys():
    from moto.logs.models import logs_backends
    from moto.logs.responses import LogsResponse

    def set_key(self, key):
        name = self._get_param("logGroupName") or self._get_param("resourceIdentifier").split(":log-group:")[1]
        group = logs_backends[self.current_account][self.region].groups.get(name)
        if group is None:
            raise JsonRESTError("ResourceNotFoundException", "The specified log group does not exist.")
        group.kms_key_id = key
        return ""

    LogsResponse.associate_kms_key = lambda self: set_key(self, self._get_param("kmsKeyId"))
    LogsResponse.disassociate_kms_key = lambda self: set_key(self, None)
