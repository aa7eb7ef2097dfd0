/** Reads a trail back from AWS: neither `up` nor `refresh` proves that it logs, and what. */
import {
  CloudTrailClient,
  GetEventSelectorsCommand,
  GetInsightSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
} from "@aws-sdk/client-cloudtrail";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Finding } from "../../../core/findings";
import { LeaveAsIs } from "../../../core/leftAsIs";
import { parseTrailArn } from "../../../core/names";
import { activityFindings, settingsFindings } from "../../../core/trailHealth";
import { clientSettings } from "../../../programs/credentials";
import { credentialsOf, regionOf } from "./credentials";
import { selectorDifference } from "./selectors";
import type { ExpectedTrail, TrailReport } from "../types";

/**
 * @param accountId the account that the credentials must be of: CloudTrail tells those of another one that there is no
 * such trail.
 * @throws what the AWS SDK throws when AWS cannot be asked, and OtherAccount.
 */
export async function readTrail(
  config: Record<string, unknown>,
  expected: ExpectedTrail,
  accountId: string,
): Promise<TrailReport> {
  const { trailArn, options, leftAsIs } = expected;
  const isLeft = (part: LeaveAsIs) => leftAsIs.includes(part);
  const client = new CloudTrailClient({
    ...clientSettings,
    region: parseTrailArn(trailArn)?.region,
    credentials: credentialsOf(config),
    maxAttempts: 5,
  });
  const answeredAt = clockOf(client);
  const findings: Finding[] = [];
  const add = (id: Finding["id"], message: string, remedy: string) =>
    findings.push({ id, severity: "error", subject: trailArn, message, remedy });
  try {
    const [status, trail, selectors, insights] = await Promise.all([
      client.send(new GetTrailStatusCommand({ Name: trailArn })),
      client.send(new GetTrailCommand({ Name: trailArn })),
      client.send(new GetEventSelectorsCommand({ TrailName: trailArn })),
      options.insightTypes.length === 0
        ? undefined
        : client.send(new GetInsightSelectorsCommand({ TrailName: trailArn })).catch(noInsights),
    ]);
    const isLogging = status.IsLogging === true;
    if (isLogging !== options.enableLogging) {
      add(
        isLogging ? "trail/logging" : "trail/not-logging",
        isLogging ? "The trail is logging, but is configured not to." : "The trail is not logging.",
        "Run crosstrail up for this stack; it first compares the trail with AWS.",
      );
    }
    findings.push(...settingsFindings(trail.Trail ?? {}, expected));
    const seen = { answeredAt: answeredAt() ?? new Date(), seenFrom: accountId };
    const activity = activityFindings(status, trail.Trail ?? {}, expected, seen);
    const wanted = isLeft(LeaveAsIs.Insights) ? { ...options, insightTypes: [] } : options;
    const difference = isLeft(LeaveAsIs.EventSelectors)
      ? undefined
      : selectorDifference(wanted, expected, {
          basic: selectors.EventSelectors ?? [],
          advanced: selectors.AdvancedEventSelectors ?? [],
          insights: (insights?.InsightSelectors ?? []).map(({ InsightType }) => InsightType ?? ""),
        });
    if (difference) {
      add(
        "trail/selectors",
        difference,
        "Someone changed them outside Pulumi, which may not notice. Find out who (PutEventSelectors in the logs), then run pulumi refresh and crosstrail up. If Pulumi finds nothing to change, use aws cloudtrail put-event-selectors.",
      );
    }
    return {
      trailArn,
      exists: true,
      isLogging,
      latestDelivery: status.LatestDeliveryTime?.toISOString(),
      ...(status.LatestDeliveryError ? { latestDeliveryError: status.LatestDeliveryError } : {}),
      delivery: {
        trailArn,
        bucketName: trail.Trail?.S3BucketName ?? "",
        logPrefix: trail.Trail?.S3KeyPrefix ?? "",
        ...(trail.Trail?.KmsKeyId && { keyArn: trail.Trail.KmsKeyId }),
        isLogging,
        isOrganizationTrail: trail.Trail?.IsOrganizationTrail ?? false,
        ...(trail.Trail?.IsMultiRegionTrail !== undefined && { isMultiRegion: trail.Trail.IsMultiRegionTrail }),
      },
      findings,
      activity,
    };
  } catch (error) {
    if ((error as Error).name !== "TrailNotFoundException") throw error;
    await requireAccount(config, accountId);
    add("trail/missing", "The account does not have this trail.", "Run crosstrail up for this stack.");
    return { trailArn, exists: false, isLogging: false, findings, activity: [] };
  } finally {
    client.destroy();
  }
}

/** The newest time that AWS has put on an answer of this client. */
function clockOf(client: CloudTrailClient): () => Date | undefined {
  let newest: Date | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers = {} } = result.response as { headers?: Record<string, string> };
      const date = new Date(headers.date ?? "");
      if (!Number.isNaN(date.getTime()) && (!newest || date > newest)) newest = date;
      return result;
    },
    { step: "deserialize", name: "crosstrailClock" },
  );
  return () => newest;
}

/** The credentials are those of another account, whose answer says nothing. */
export class OtherAccount extends Error {
  constructor(
    readonly wanted: string,
    readonly actual: string,
  ) {
    super(`The credentials are those of account ${actual}, and ${wanted} was to be asked.`);
  }
}

async function requireAccount(config: Record<string, unknown>, accountId: string): Promise<void> {
  const sts = new STSClient({ ...clientSettings, region: regionOf(config), credentials: credentialsOf(config) });
  try {
    const { Account = "" } = await sts.send(new GetCallerIdentityCommand({}));
    if (Account !== accountId) throw new OtherAccount(accountId, Account);
  } finally {
    sts.destroy();
  }
}

function noInsights(error: Error): undefined {
  if (error.name === "InsightNotEnabledException") return undefined;
  throw error;
}
