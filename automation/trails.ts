/** The trails of an account as AWS has them. Loaded only where they are asked for. */
import type { Trail } from "@aws-sdk/client-cloudtrail";
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetInsightSelectorsCommand,
  GetTrailStatusCommand,
  ListTagsCommand,
} from "@aws-sdk/client-cloudtrail";
import { DescribeOrganizationCommand, OrganizationsClient } from "@aws-sdk/client-organizations";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Partition } from "../core/accounts";
import { regions as knownRegions } from "../core/accounts";
import type { FoundTrail } from "../core/adoption";
import type { AwsAccess } from "./deployed";
import { clientSettings } from "../programs/credentials";
import { ExitCode, ExitError } from "./output";

/** What an account has. */
export interface AccountTrails {
  accountId: string;
  trails: FoundTrail[];
  /** The account's organization, if one of the trails is an organization's and AWS says which it is. */
  organization?: { id: string; managementAccountId: string };
  /** Regions that were asked. */
  regions: string[];
  /** Regions that the account has not enabled, or that are not there. */
  skipped: string[];
}

/** How many Regions are asked at a time. */
const atOnce = 8;

/** Asks for the trails at home in each Region. Default: every Region of the credentials' partition. */
export async function findTrails(wanted?: string[], access: AwsAccess = {}): Promise<AccountTrails> {
  const { accountId, partition } = await whoAmI(access);
  const regions = wanted ?? knownRegions[partition];
  const skipped: string[] = [];
  const trails: FoundTrail[] = [];
  const waiting = [...regions];
  const work = async () => {
    for (let region = waiting.shift(); region !== undefined; region = waiting.shift()) {
      const found = await trailsIn(region, access, wanted === undefined);
      if (found) trails.push(...found);
      else skipped.push(region);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, work));
  trails.sort((a, b) => (a.arn < b.arn ? -1 : 1));
  const hasOrganizationTrail = trails.some(
    ({ arn, isOrganizationTrail }) => isOrganizationTrail && arn.split(":")[4] === accountId,
  );
  const organization = hasOrganizationTrail ? await asked("the organization", () => organizationOf(access)) : undefined;
  return { accountId, trails, ...(organization && { organization }), regions, skipped: skipped.sort() };
}

/** Organizations answers in one Region of each partition, whichever the client is in. Undefined where the credentials may not ask. */
async function organizationOf(access: AwsAccess): Promise<AccountTrails["organization"]> {
  const client = new OrganizationsClient({ ...clientSettings, ...access });
  try {
    const { Organization } = await client.send(new DescribeOrganizationCommand({}));
    const { Id: id, MasterAccountId: managementAccountId } = Organization ?? {};
    return id === undefined || managementAccountId === undefined ? undefined : { id, managementAccountId };
  } catch (error) {
    if (/AccessDenied|AWSOrganizationsNotInUse/.test((error as Error).name)) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

async function whoAmI(access: AwsAccess): Promise<{ accountId: string; partition: Partition }> {
  const sts = new STSClient({ ...clientSettings, ...access });
  try {
    const { Account, Arn } = await asked("the account of the credentials", () =>
      sts.send(new GetCallerIdentityCommand({})),
    );
    return { accountId: Account ?? "", partition: (Arn?.split(":")[1] ?? "aws") as Partition };
  } finally {
    sts.destroy();
  }
}

/** The trails at home in a Region; undefined when the account has not enabled it, and it may be left out. */
async function trailsIn(region: string, access: AwsAccess, mayBeOff: boolean): Promise<FoundTrail[] | undefined> {
  const client = new CloudTrailClient({ ...clientSettings, ...access, region });
  try {
    const trails = await asked(`the trails of Region ${region}`, async () => {
      try {
        const { trailList = [] } = await client.send(new DescribeTrailsCommand({ includeShadowTrails: false }));
        return trailList;
      } catch (error) {
        // The credentials are good, or STS had refused them: this is how a Region that is not enabled answers. One that
        // is not open yet has no address.
        const { name, code = "" } = error as NodeJS.ErrnoException;
        if (mayBeOff && notEnabled.test(name + code)) return undefined;
        throw error;
      }
    });
    return trails && (await Promise.all(trails.map((trail) => details(client, trail))));
  } finally {
    client.destroy();
  }
}

const notEnabled = /^(UnrecognizedClient|InvalidClientTokenId|AuthFailure|OptInRequired)|ENOTFOUND$/;

async function details(client: CloudTrailClient, trail: Trail): Promise<FoundTrail> {
  const arn = trail.TrailARN ?? "";
  return asked(`trail ${arn}`, async () => {
    const [status, selectors, insights, tags] = await Promise.all([
      client.send(new GetTrailStatusCommand({ Name: arn })),
      trail.HasCustomEventSelectors ? client.send(new GetEventSelectorsCommand({ TrailName: arn })) : undefined,
      trail.HasInsightSelectors ? client.send(new GetInsightSelectorsCommand({ TrailName: arn })) : undefined,
      client.send(new ListTagsCommand({ ResourceIdList: [arn] })),
    ]);
    return {
      arn,
      bucketName: trail.S3BucketName ?? "",
      logPrefix: trail.S3KeyPrefix ?? "",
      keyArn: trail.KmsKeyId ?? "",
      isMultiRegionTrail: trail.IsMultiRegionTrail ?? false,
      enableLogFileValidation: trail.LogFileValidationEnabled ?? false,
      includeGlobalServiceEvents: trail.IncludeGlobalServiceEvents ?? false,
      enableLogging: status.IsLogging ?? false,
      isOrganizationTrail: trail.IsOrganizationTrail ?? false,
      advancedEventSelectors: (selectors?.AdvancedEventSelectors ?? []).map(({ Name, FieldSelectors = [] }) => ({
        ...(Name !== undefined && { name: Name }),
        fieldSelectors: FieldSelectors.map(lowered),
      })),
      insightTypes: (insights?.InsightSelectors ?? []).map(({ InsightType }) => InsightType ?? ""),
      logGroupArn: trail.CloudWatchLogsLogGroupArn ?? "",
      topic: trail.SnsTopicARN ?? trail.SnsTopicName ?? "",
      tags: Object.fromEntries(
        (tags.ResourceTagList?.[0]?.TagsList ?? []).map(({ Key = "", Value = "" }) => [Key, Value]),
      ),
    };
  });
}

/** The configuration's names: AWS's with a small letter in front. What is empty is left out. */
function lowered(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined && each !== null && !(Array.isArray(each) && each.length === 0))
      .map(([name, each]) => [name.charAt(0).toLowerCase() + name.slice(1), each as unknown]),
  );
}

const refused =
  /Credential|ExpiredToken|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|AccessDenied|Forbidden|SSO|TokenProvider|AuthFailure/;

async function asked<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ExitError) throw error;
    const { name, message } = error as Error;
    // The SDK's own words, before it asks anything.
    if (message === "Region is missing") {
      throw new ExitError(ExitCode.Usage, "The account could not be read.", [
        {
          id: "aws/region",
          severity: "error",
          subject: "AWS_REGION",
          message: "No Region is set, neither in the environment nor in the profile.",
          remedy:
            "Set AWS_REGION, for example AWS_REGION=us-east-1. It does not limit the Regions searched for trails; --regions does.",
        },
      ]);
    }
    const isRefusal = refused.test(name);
    throw new ExitError(isRefusal ? ExitCode.Authentication : ExitCode.Other, "The account could not be read.", [
      {
        id: isRefusal ? "aws/refused" : "aws/failed",
        severity: "error",
        subject: what,
        message: `AWS error: ${name}: ${message}`,
        remedy: isRefusal
          ? "Use credentials for the trail's account that allow cloudtrail:DescribeTrails, Get* and ListTags: set AWS_PROFILE, or the AWS_ variables of a session."
          : "Check that you can reach AWS.",
      },
    ]);
  }
}
