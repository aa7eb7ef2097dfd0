/**
 * AWS Organizations, asked with the credentials that the AWS provider of this stack has. Through the SDK, because the
 * provider has no functions for some of it, reads every account of an organization for others, and can turn trusted
 * access on only as a resource whose removal would turn it off again.
 */
import * as pulumi from "@pulumi/pulumi";
import { CloudTrailClient, DescribeTrailsCommand } from "@aws-sdk/client-cloudtrail";
import { CreateServiceLinkedRoleCommand, GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  DescribeOrganizationCommand,
  EnableAllFeaturesCommand,
  EnableAWSServiceAccessCommand,
  OrganizationsClient,
  paginateListAccounts,
  paginateListAWSServiceAccessForOrganization,
  paginateListDelegatedAdministrators,
  paginateListRoots,
} from "@aws-sdk/client-organizations";
import { UserError } from "../core/findings";
import type { OrganizationState, OrganizationWish } from "../core/organizationPrerequisites";
import { cloudTrailPrincipal, serviceLinkedRoleName } from "../core/organizationPrerequisites";
import { clientSettings, providerCredentials } from "./credentials";

/** What the program asks of AWS Organizations and CloudTrail, besides the trail itself. */
export interface OrganizationAccess {
  read(): Promise<OrganizationState>;
  /** The types of policies that are enabled in the organization's root; undefined where AWS does not say. */
  policyTypes(): Promise<string[] | undefined>;
  /** Turns on what is missing and was asked for; what is on stays on. Says what it did. */
  enable(state: OrganizationState, wish: OrganizationWish): Promise<string[]>;
  close(): void;
}

/** How a refusal of AWS is met: what may be left unread is, everything else is told. */
async function unlessRefused<Result>(ask: () => Promise<Result>, ...names: string[]): Promise<Result | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (names.includes((error as Error).name)) return undefined;
    throw error;
  }
}

export function organizationAccess(region: string): OrganizationAccess {
  // The SDK's own warning about future versions of Node.js does not belong in this program's output.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const common = {
    ...clientSettings,
    region,
    credentials: providerCredentials(pulumi.runtime.allConfig(), region),
    maxAttempts: 5,
  };
  const organizations = new OrganizationsClient(common);
  const cloudTrail = new CloudTrailClient(common);
  const iam = new IAMClient(common);
  // A member account may describe its organization, and not much else.
  const refused = "AccessDeniedException";

  const collect = async <Page, Item>(pages: AsyncIterable<Page>, items: (page: Page) => Item[] | undefined) => {
    const all: Item[] = [];
    for await (const page of pages) all.push(...(items(page) ?? []));
    return all;
  };
  const hasRole = () =>
    iam.send(new GetRoleCommand({ RoleName: serviceLinkedRoleName })).then(
      () => true,
      (error: Error) => {
        if (["NoSuchEntity", "NoSuchEntityException"].includes(error.name)) return false;
        // Without permission to look, the trail's creation will say.
        if (/AccessDenied/.test(error.name)) return undefined;
        throw error;
      },
    );

  return {
    async read(): Promise<OrganizationState> {
      const [described, existing] = await Promise.all([
        unlessRefused(
          () => organizations.send(new DescribeOrganizationCommand({})),
          "AWSOrganizationsNotInUseException",
        ),
        cloudTrail.send(new DescribeTrailsCommand({ includeShadowTrails: true })),
      ]);
      const trails = (existing.trailList ?? []).map((trail) => ({
        arn: trail.TrailARN ?? "",
        name: trail.Name ?? "",
        homeRegion: trail.HomeRegion ?? trail.TrailARN?.split(":")[3] ?? "",
        isOrganizationTrail: trail.IsOrganizationTrail === true,
      }));
      const { Id: id, MasterAccountId: managementAccountId, FeatureSet } = described?.Organization ?? {};
      if (id === undefined || managementAccountId === undefined) return { trails };
      const allFeatures = FeatureSet === "ALL";
      const client = { client: organizations };
      const [services, administrators, accounts, serviceLinkedRole] = await Promise.all([
        // Without all features there is no trusted access to list.
        allFeatures
          ? unlessRefused(
              () =>
                collect(
                  paginateListAWSServiceAccessForOrganization(client, {}),
                  (page) => page.EnabledServicePrincipals,
                ),
              refused,
            )
          : [],
        unlessRefused(
          () =>
            collect(
              paginateListDelegatedAdministrators(client, { ServicePrincipal: cloudTrailPrincipal }),
              (page) => page.DelegatedAdministrators,
            ),
          refused,
          "ConstraintViolationException",
          "InvalidInputException",
        ),
        unlessRefused(() => collect(paginateListAccounts(client, {}), (page) => page.Accounts), refused),
        hasRole(),
      ]);
      return {
        organization: { id, managementAccountId, allFeatures },
        trustedAccess: services?.some(({ ServicePrincipal }) => ServicePrincipal === cloudTrailPrincipal),
        serviceLinkedRole,
        delegatedAdministrators: administrators?.map(({ Id }) => Id ?? ""),
        trails,
        accountIds: accounts?.filter(({ Status }) => Status === "ACTIVE").map(({ Id }) => Id ?? ""),
      };
    },

    async policyTypes() {
      const roots = await unlessRefused(
        () => collect(paginateListRoots({ client: organizations }, {}), (page) => page.Roots),
        refused,
        "AWSOrganizationsNotInUseException",
      );
      return roots?.flatMap(({ PolicyTypes = [] }) =>
        PolicyTypes.filter(({ Status }) => Status === "ENABLED").map(({ Type }) => Type ?? ""),
      );
    },

    async enable(state, wish) {
      const done: string[] = [];
      const isManagement = wish.accountId === state.organization?.managementAccountId;
      if (!isManagement || !wish.isOrganizationTrail) return done;
      if (wish.enableAllFeatures && state.organization?.allFeatures === false) {
        const { Handshake } =
          (await unlessRefused(
            () => organizations.send(new EnableAllFeaturesCommand({})),
            "HandshakeConstraintViolationException",
          )) ?? {};
        const now = await organizations.send(new DescribeOrganizationCommand({}));
        if (now.Organization?.FeatureSet !== "ALL") {
          throw new UserError("All features of the organization are being enabled. No trail has been created yet.", [
            {
              id: "organization/all-features-pending",
              severity: "error",
              subject: `organization ${wish.organizationId}${Handshake?.Id ? `, handshake ${Handshake.Id}` : ""}`,
              message: "Every invited account must agree; then the management account confirms it.",
              remedy:
                "aws organizations list-handshakes-for-organization shows who is missing. Confirm with aws organizations accept-handshake, then rerun pulumi up.",
            },
          ]);
        }
        done.push("All features of the organization are enabled.");
      }
      if (wish.enableTrustedAccess && state.trustedAccess !== true) {
        await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: cloudTrailPrincipal }));
        done.push(`Trusted access for ${cloudTrailPrincipal} is enabled. No stack will disable it.`);
      }
      if (wish.enableTrustedAccess && state.serviceLinkedRole === false) {
        await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: cloudTrailPrincipal }));
        done.push(`The service-linked role ${serviceLinkedRoleName} was created. No stack will remove it.`);
      }
      return done;
    },

    close() {
      organizations.destroy();
      cloudTrail.destroy();
      iam.destroy();
    },
  };
}
