"""What the sandbox adds to moto 5.2.5 about organizations and organization trails:

- EnableAllFeatures. moto does not have it. Here every account agrees at once; in AWS invited accounts have to.
- CloudTrail's delegated administrators. moto knows neither the requests of CloudTrail for them nor CloudTrail among the
  services that have one.
- An organization trail is refused without all features, trusted access or the service-linked role. moto takes any. (What
  gate.py refuses before: outside of an organization, and in a member account.)
- CloudTrail's service-linked role has its name in AWS's spelling. moto does not capitalise it.
- AttachPolicy refuses a type of policy that is not enabled in the root, and a policy that is attached there already. moto takes
  both. (Attached policies are kept and told; no call is refused because of them.)
- Members see the organization trail, with the management account's ARN, and cannot change it.
- An account that an organization creates may be given an id (tag `sandbox:account-id`), so that the sandbox's accounts can
  be in one. moto's ids are random.
"""

import json

PRINCIPAL = "cloudtrail.amazonaws.com"
ROLE = "AWSServiceRoleForCloudTrail"


def apply():
    enable_all_features()
    accounts_of_the_sandbox()
    delegated_administrators()
    service_linked_role()
    organization_trails()
    policy_attachments()


def policy_attachments():
    from moto.core.exceptions import JsonRESTError
    from moto.organizations.models import FakeRoot
    from moto.organizations.responses import OrganizationsResponse

    attach = OrganizationsResponse.attach_policy

    def attach_policy(self):
        # https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html
        organizations = self.organizations_backend
        policy = organizations.get_policy_by_id(self._get_param("PolicyId"))
        roots = [each for each in organizations.ou if isinstance(each, FakeRoot)]
        if policy.type not in [each["Type"] for root in roots for each in root.policy_types]:
            raise JsonRESTError("PolicyTypeNotEnabledException", f"{policy.type} is not enabled in the root.")
        if any(each.id == self._get_param("TargetId") for each in policy.attachments):
            raise JsonRESTError("DuplicatePolicyAttachmentException", "The policy is already attached to the target.")
        return attach(self)

    OrganizationsResponse.attach_policy = attach_policy


def organization_backends():
    from moto.organizations.models import organizations_backends

    return organizations_backends


def backend_of(account_id):
    """The management account's backend for an account of an organization, or None."""
    backends = organization_backends()
    for backend in list(backends.values()):
        for organizations in list(backend.values()):
            if organizations.org and any(account.id == account_id for account in organizations.accounts):
                return organizations
    return None


def enable_all_features():
    from moto.organizations.responses import OrganizationsResponse

    def respond(self):
        organizations = self.organizations_backend
        organizations.org.feature_set = "ALL"
        return json.dumps({"Handshake": {"Id": "h-sandbox", "Action": "ENABLE_ALL_FEATURES", "State": "ACCEPTED"}})

    OrganizationsResponse.enable_all_features = respond


def accounts_of_the_sandbox():
    from moto.organizations import models

    create = models.OrganizationsBackend.create_account

    def create_account(self, **kwargs):
        answer = create(self, **kwargs)
        wanted = [tag["Value"] for tag in kwargs.get("Tags") or [] if tag["Key"] == "sandbox:account-id"]
        if wanted:
            account = self.accounts[-1]
            masters = organization_backends().master_accounts
            masters[wanted[0]] = masters.pop(account.id)
            account.id = wanted[0]
        return answer

    models.OrganizationsBackend.create_account = create_account


def delegated_administrators():
    from moto.cloudtrail.responses import CloudTrailResponse
    from moto.organizations import models

    models.FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(PRINCIPAL)
    listed = models.OrganizationsBackend.list_delegated_administrators

    def list_delegated_administrators(self, **kwargs):
        # A delegated administrator may ask as well; it has no organization of its own.
        return listed(self if self.org else backend_of(self.account_id) or self, **kwargs)

    def register(self):
        organizations = backend_of(self.current_account)
        organizations.register_delegated_administrator(
            AccountId=self._get_param("MemberAccountId"), ServicePrincipal=PRINCIPAL
        )
        return "{}"

    def deregister(self):
        organizations = backend_of(self.current_account)
        organizations.deregister_delegated_administrator(
            AccountId=self._get_param("DelegatedAdminAccountId"), ServicePrincipal=PRINCIPAL
        )
        return "{}"

    models.OrganizationsBackend.list_delegated_administrators = list_delegated_administrators
    CloudTrailResponse.register_organization_delegated_admin = register
    CloudTrailResponse.deregister_organization_delegated_admin = deregister


def service_linked_role():
    from moto.iam import models

    models.SERVICE_NAME_CONVERSION["cloudtrail"] = "CloudTrail"


def organization_trails():
    from moto.cloudtrail import models
    from moto.core.exceptions import JsonRESTError

    create, update = models.CloudTrailBackend.create_trail, models.CloudTrailBackend.update_trail
    describe = models.CloudTrailBackend.describe_trails

    def require(account_id):
        from moto.iam.models import iam_backends

        organizations = backend_of(account_id)
        management = organizations.org.master_account_id
        if organizations.org.feature_set != "ALL":
            raise JsonRESTError("OrganizationNotInAllFeaturesModeException", "The organization lacks all features.")
        if not any(each["ServicePrincipal"] == PRINCIPAL for each in organizations.services):
            raise JsonRESTError("CloudTrailAccessNotEnabledException", "Trusted access for CloudTrail is not on.")
        partition = organizations.partition
        if not any(role.name == ROLE for role in iam_backends[management][partition].roles.values()):
            raise JsonRESTError("NoManagementAccountSLRExistsException", "The service-linked role is missing.")

    def create_trail(self, *args, **kwargs):
        given = dict(zip(create.__code__.co_varnames[1:], args), **kwargs)
        if given.get("is_org_trail"):
            require(self.account_id)
        return create(self, *args, **kwargs)

    def update_trail(self, *args, **kwargs):
        given = dict(zip(update.__code__.co_varnames[1:], args), **kwargs)
        if given.get("is_organization_trail"):
            require(self.account_id)
        return update(self, *args, **kwargs)

    def describe_trails(self, include_shadow_trails):
        trails = list(describe(self, include_shadow_trails))
        organizations = backend_of(self.account_id)
        management = organizations.org.master_account_id if organizations else self.account_id
        if management != self.account_id:
            owner = models.cloudtrail_backends[management][self.region_name]
            trails += [trail for trail in describe(owner, include_shadow_trails) if trail.is_org_trail]
        return trails

    models.CloudTrailBackend.create_trail = create_trail
    models.CloudTrailBackend.update_trail = update_trail
    models.CloudTrailBackend.describe_trails = describe_trails
