"""CloudTrail Lake's event data stores, of which moto 5.2.5 has none: created, read, changed, deleted and restored, as the AWS
provider asks for it. They hold no events, and there are no queries.

- A store under termination protection is not deleted; a deleted one waits for seven days and can be restored.
- Its key cannot be changed or removed, and has to be there, in the store's account and Region, enabled.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateEventDataStore.html
"""

import json
import time
import uuid

from moto.core.exceptions import JsonRESTError

DEFAULT_SELECTORS = [
    {
        "Name": "Default management events",
        "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
    }
]
# The longest retention in days, and the default.
RETENTION = {"EXTENDABLE_RETENTION_PRICING": (3653, 366), "FIXED_RETENTION_PRICING": (2557, 2557)}


def apply():
    from moto.cloudtrail.responses import CloudTrailResponse

    CloudTrailResponse.create_event_data_store = create
    CloudTrailResponse.get_event_data_store = lambda self: answer(find(self))
    CloudTrailResponse.list_event_data_stores = lambda self: json.dumps(
        {"EventDataStores": [{key: each[key] for key in ("EventDataStoreArn", "Name")} for each in stores(self).values()]}
    )
    CloudTrailResponse.update_event_data_store = update
    CloudTrailResponse.delete_event_data_store = delete
    CloudTrailResponse.restore_event_data_store = restore


def stores(response):
    return vars(response.cloudtrail_backend).setdefault("event_data_stores", {})


def find(response):
    wanted = response._get_param("EventDataStore")
    for arn, store in stores(response).items():
        if wanted in (arn, arn.split("/")[-1]):
            return store
    raise JsonRESTError("EventDataStoreNotFoundException", "The specified event data store was not found.")


def answer(store):
    return json.dumps(store)


def create(self):
    params = json.loads(self.body)
    names = [store["Name"] for store in stores(self).values()]
    if params["Name"] in names:
        raise JsonRESTError("EventDataStoreAlreadyExistsException", "An event data store with this name already exists.")
    backend = self.cloudtrail_backend
    arn = f"arn:{backend.partition}:cloudtrail:{self.region}:{self.current_account}:eventdatastore/{uuid.uuid4()}"
    mode = params.get("BillingMode", "EXTENDABLE_RETENTION_PRICING")
    store = {
        "EventDataStoreArn": arn,
        "Status": "ENABLED",
        "AdvancedEventSelectors": DEFAULT_SELECTORS,
        "MultiRegionEnabled": True,
        "OrganizationEnabled": False,
        "TerminationProtectionEnabled": True,
        "BillingMode": mode,
        "RetentionPeriod": RETENTION[mode][1],
        "CreatedTimestamp": time.time(),
        "UpdatedTimestamp": time.time(),
        **{key: value for key, value in params.items() if key not in ("TagsList", "StartIngestion")},
    }
    check(self, store)
    stores(self)[arn] = store
    backend.tagging_service.tag_resource(arn, params.get("TagsList", []))
    return answer(store)


def update(self):
    store = find(self)
    params = json.loads(self.body)
    require_active(store)
    if "KmsKeyId" in params and params["KmsKeyId"] != store.get("KmsKeyId") and store.get("KmsKeyId"):
        raise JsonRESTError(
            "InvalidParameterException", "The KMS key of an event data store cannot be removed or changed."
        )
    changed = {**store, **{key: value for key, value in params.items() if key != "EventDataStore"}}
    if store["BillingMode"] == "EXTENDABLE_RETENTION_PRICING" != changed["BillingMode"]:
        raise JsonRESTError("InvalidParameterException", "The billing mode cannot be changed to fixed retention.")
    check(self, changed)
    store.update(changed, UpdatedTimestamp=time.time())
    return answer(store)


def delete(self):
    store = find(self)
    require_active(store)
    if store["TerminationProtectionEnabled"]:
        raise JsonRESTError(
            "EventDataStoreTerminationProtectedException",
            "The event data store cannot be deleted because termination protection is enabled for it.",
        )
    store["Status"] = "PENDING_DELETION"
    return "{}"


def restore(self):
    store = find(self)
    if store["Status"] != "PENDING_DELETION":
        raise JsonRESTError("InvalidEventDataStoreStatusException", "The event data store is not pending deletion.")
    store["Status"] = "ENABLED"
    return answer(store)


def require_active(store):
    if store["Status"] == "PENDING_DELETION":
        raise JsonRESTError("InactiveEventDataStoreException", "The event data store is pending deletion.")


def check(response, store):
    longest = RETENTION[store["BillingMode"]][0]
    if not 7 <= store["RetentionPeriod"] <= longest:
        raise JsonRESTError("InvalidParameterException", f"The retention period is 7 to {longest} days.")
    if not store["AdvancedEventSelectors"]:
        raise JsonRESTError("InvalidEventSelectorsException", "Specify at least one advanced event selector.")
    key_id = store.get("KmsKeyId")
    if key_id:
        from moto.kms.models import kms_backends

        key = kms_backends[response.current_account][response.region].keys.get(key_id.split("/")[-1])
        if key is None:
            raise JsonRESTError("KmsKeyNotFoundException", "The KMS key does not exist in this account and Region.")
        if not key.enabled:
            raise JsonRESTError("KmsException", "The KMS key is disabled.")
