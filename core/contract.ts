/**
 * The audit contract: the audit stack's outputs, and all that other stacks know of it. Names, ARNs and account ids only;
 * nothing in it is secret, so that a member stack needs no access to the audit stack's secrets.
 */
import { z } from "zod";
import type { Partition } from "./accounts";
import { accountIdProblem, partitions } from "./accounts";
import type { Finding } from "./findings";
import { UserError } from "./findings";
import type { TrailIdentity } from "./names";
import { keyArnProblem, parseTrailArn, trailArn } from "./names";

/** The version that this side writes and reads. */
export const contractVersion = 1;

const accountId = z.string().superRefine((value, context) => {
  const message = accountIdProblem(value);
  if (message) context.addIssue({ code: "custom", message });
});
const trail = z.string().superRefine((value, context) => {
  if (!parseTrailArn(value)) {
    context.addIssue({
      code: "custom",
      message: "a trail ARN looks like arn:aws:cloudtrail:<region>:<account>:trail/<name>",
    });
  }
});

export const contractSchema = z.object({
  contractVersion: z.literal(contractVersion),
  partition: z.enum(partitions),
  auditAccountId: accountId,
  bucketName: z.string().min(1),
  bucketRegion: z.string().min(1),
  logPrefix: z.string(),
  keyArn: z.string().superRefine((value, context) => {
    const message = keyArnProblem(value);
    if (message) context.addIssue({ code: "custom", message });
  }),
  trails: z.array(
    z.object({
      accountId,
      alias: z.string().min(1),
      trailArn: trail,
      /** While a trail is being renamed: the one that the new one replaces. */
      previousTrailArn: trail.optional(),
    }),
  ),
});

/** Version 1 of the contract. */
export type Contract = z.infer<typeof contractSchema>;

/** The names of the contract's values: the audit stack's outputs. */
export const contractKeys = Object.keys(contractSchema.shape) as (keyof Contract)[];

/**
 * Reads a contract out of a stack's outputs.
 * @param source where they come from, for messages: the audit stack's name.
 * @throws UserError when it is of another version or incomplete; it says which side to update.
 */
export function parseContract(outputs: Record<string, unknown>, source: string): Contract {
  const version = outputs.contractVersion;
  if (version === undefined) {
    throw problem("contract/missing", source, "This stack has no output contractVersion.", notAnAuditStack(source));
  }
  if (version !== contractVersion) {
    const newer = typeof version === "number" && version > contractVersion;
    throw problem(
      "contract/version",
      source,
      `Its contract is version ${JSON.stringify(version)}; this version of Crosstrail reads version ${contractVersion}.`,
      newer
        ? "Update Crosstrail in the member's project to the version the audit stack was deployed with."
        : `Update the audit stack: run pulumi up for ${source} with this version of Crosstrail.`,
    );
  }
  const result = contractSchema.safeParse(outputs);
  if (result.success) return result.data;
  throw new UserError(
    `The contract of the audit stack ${source} cannot be used. Nothing was changed.`,
    result.error.issues.map((issue) => ({
      id: "contract/value",
      severity: "error" as const,
      subject: `output ${issue.path.map(String).join(".")}`,
      message: `${issue.message}.`,
      remedy: `Run pulumi up for ${source}; its outputs are written anew.`,
    })),
  );
}

/** What a member stack may do, as the contract says. */
export interface Authorisation {
  trail: TrailIdentity;
  alias: string;
  previousTrailArn?: string;
}

/**
 * The trail that the contract authorises for an account.
 * @throws UserError with the lines to add to the audit stack's configuration when there is none for this account and Region.
 */
export function authorise(
  contract: Contract,
  member: { partition: Partition; accountId: string; region: string },
  source: string,
): Authorisation {
  const entry = contract.trails.find((candidate) => candidate.accountId === member.accountId);
  const headline = `The audit stack ${source} does not authorise this trail. Nothing was changed.`;
  const findings: Finding[] = [];
  if (member.partition !== contract.partition) {
    findings.push({
      id: "contract/partition",
      severity: "error",
      subject: `aws:region = "${member.region}"`,
      message: `This Region is in partition ${member.partition}; the archive is in ${contract.partition}, and logs cannot cross partitions.`,
      remedy: `Use a Region of partition ${contract.partition}, or an audit stack in ${member.partition}.`,
    });
  } else if (!entry) {
    findings.push({
      id: "contract/not-a-member",
      severity: "error",
      subject: `account ${member.accountId}`,
      message: `It is not among the ${contract.trails.length} accounts of the contract.`,
      remedy: [
        "Add these lines to the audit stack's configuration, under crosstrail:members:",
        "",
        `  - accountId: "${member.accountId}"`,
        "    alias: <a short name>",
        ...(member.region === contract.bucketRegion ? [] : [`    homeRegion: ${member.region}`]),
        "",
        `then run pulumi up for ${source}, and this stack again.`,
      ].join("\n"),
    });
  }
  const trail = entry && parseTrailArn(entry.trailArn);
  if (entry && trail && trail.region !== member.region) {
    findings.push({
      id: "contract/region",
      severity: "error",
      subject: `aws:region = "${member.region}"`,
      message: `The contract authorises ${entry.trailArn}, whose home Region is ${trail.region}.`,
      remedy: [
        `Set aws:region to ${trail.region}. Or move the trail's home: set it in the audit stack's configuration,`,
        "",
        `  - accountId: "${member.accountId}"`,
        `    alias: ${entry.alias}`,
        `    homeRegion: ${member.region}`,
        "",
        `then run pulumi up for ${source}, and this stack again.`,
      ].join("\n"),
    });
  }
  if (findings.length > 0 || !entry || !trail) throw new UserError(headline, findings);
  return { trail, alias: entry.alias, previousTrailArn: entry.previousTrailArn };
}

/**
 * Refuses a change of a deployed trail's ARN, unless the contract authorises the old trail as well: AWS cannot rename a
 * trail, so the engine would replace it while the archive already refuses the old one.
 * @throws UserError that says how to move instead.
 */
export function refuseReplacement(deployedArn: string | undefined, authorised: Authorisation): void {
  const wanted = trailArn(authorised.trail);
  if (deployedArn === undefined || deployedArn === wanted || deployedArn === authorised.previousTrailArn) return;
  const deployed = parseTrailArn(deployedArn);
  const renamed = deployed && deployed.region === authorised.trail.region;
  throw problem(
    "trail/replaced",
    deployedArn,
    `This trail is deployed; the contract now authorises ${wanted}. A trail cannot be ${renamed ? "renamed" : "moved"}: it would be replaced, and events would be missing meanwhile.`,
    renamed
      ? [
          `Authorise both for a while. In the audit stack's configuration, for account ${authorised.trail.accountId}:`,
          "",
          `    trailName: ${authorised.trail.name}`,
          `    previousTrailName: ${deployed.name}`,
          "",
          "then pulumi up for the audit stack and for this one: the new trail is made before the old one is removed.",
          "Afterwards remove previousTrailName and run pulumi up for the audit stack again.",
        ].join("\n")
      : [
          "Set homeRegion back in the audit stack's configuration. To move the trail for good: destroy this stack",
          "(its logs stay in the archive), run pulumi up for the audit stack with the new homeRegion, then for this one.",
          "Between the two nothing is recorded by this trail.",
        ].join("\n"),
  );
}

function notAnAuditStack(source: string): string {
  return `Is ${source} an audit stack (crosstrail:role: audit), and was it deployed? Run pulumi up for it, or correct crosstrail:auditStack.`;
}

function problem(id: string, subject: string, message: string, remedy: string): UserError {
  return new UserError("The audit stack and this stack do not agree. Nothing was changed.", [
    { id, severity: "error", subject, message, remedy },
  ]);
}
