/**
 * The audit contract: the audit stack's outputs, and all that other stacks know of it. Names, ARNs and account ids only;
 * nothing in it is secret, so that a member stack needs no access to the audit stack's secrets.
 */
import { z } from "zod";
import type { Partition } from "./accounts";
import { accountIdProblem, partitions } from "./accounts";
import type { Finding } from "./findings";
import { UserError } from "./findings";
import { pathText, plainIssues, sentence, valueAt } from "./issues";
import type { TrailIdentity } from "./names";
import { keyArnProblem, organizationIdProblem, parseTrailArn, trailArn } from "./names";

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

/**
 * An ARN in a control policy. The management stack attaches what the audit stack names, so a name is exact, except the seven
 * characters that Pulumi adds to some: someone who can write the audit stack's outputs cannot widen a policy to other resources.
 */
const arnOf = (example: string, form: RegExp) =>
  z.string().regex(form, { error: `an ARN here looks like ${example}, and its name has no *` });
const roleList = z.array(arnOf("arn:aws:iam::*:role/<name>", /^arn:[a-z-]+:iam::(\*|\d{12}):role\/[\w+=,.@/-]+$/));
const bucketList = z.array(arnOf("arn:aws:s3:::<bucket>", /^arn:[a-z-]+:s3:::[a-z0-9.-]+$/));
const trailGuard = {
  trails: z.array(arnOf("arn:aws:cloudtrail:*:*:trail/<name>", /^arn:[a-z-]+:cloudtrail:\*:\*:trail\/[\w.-]+$/)),
  logGroups: z.array(arnOf("arn:aws:logs:*:*:log-group:<name>", /^arn:[a-z-]+:logs:\*:\*:log-group:[\w/.#-]+\?*$/)),
  topics: z.array(arnOf("arn:aws:sns:*:*:<name>", /^arn:[a-z-]+:sns:\*:\*:[\w-]+$/)),
  logRoles: z.array(arnOf("arn:aws:iam::*:role/<name>", /^arn:[a-z-]+:iam::\*:role\/[\w-]+\?*$/)),
  keys: z.boolean(),
};
const guardrailNamesSchema = z.object({
  members: z.object({ ...trailGuard, accountIds: z.array(accountId).min(1), deployRoles: roleList }).optional(),
  audit: z
    .object({
      ...trailGuard,
      trustedRoles: roleList,
      buckets: bucketList,
      replicationRole: arnOf(
        "arn:aws:iam::<account>:role/<name>",
        /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/,
      ).optional(),
      archiveRoles: z.array(
        arnOf("arn:aws:iam::<account>:role/<name>", /^arn:[a-z-]+:iam::\d{12}:(role|policy)\/[\w+=,.@/-]+$/),
      ),
      queue: arnOf("arn:aws:sqs:<region>:<account>:<name>", /^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[\w-]+$/).optional(),
    })
    .optional(),
  archive: z.object({ buckets: bucketList, outsideAccountIds: z.array(accountId) }).optional(),
  exemptRoles: roleList,
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
    z
      .object({
        accountId,
        alias: z.string().min(1),
        trailArn: trail,
        /** While a trail is being renamed: the one that the new one replaces. */
        previousTrailArn: trail.optional(),
        /** False for an account outside of the organization. */
        inOrganization: z.boolean().optional(),
      })
      .superRefine((value, context) => {
        const owner = parseTrailArn(value.trailArn)?.accountId;
        if (owner !== undefined && owner !== value.accountId) {
          context.addIssue({
            code: "custom",
            path: ["trailArn"],
            message: `this trail is in account ${owner}, but its entry is for ${value.accountId}`,
          });
        }
      }),
  ),
  /** The roles that other accounts may assume to read logs, if there are any. */
  readers: z
    .array(z.object({ name: z.string().min(1), roleArn: z.string().min(1), trustedAccounts: z.array(accountId) }))
    .optional(),
  /** While the log prefix is being changed: the former one, which the policies also allow. */
  previousLogPrefix: z.string().optional(),
  /** The keys that encrypted before this one, newest first; logs of that time need them. */
  previousKeyArns: z.array(z.string()).optional(),
  /** Whether trails may still encrypt with the newest of the former keys. Absent where there is none. */
  previousKeyInUse: z.boolean().optional(),
  /** The organization, if one is declared. Its trail's ARN is the management account's, no matter who made the trail. */
  organization: z
    .object({
      id: z.string().superRefine((value, context) => {
        const message = organizationIdProblem(value);
        if (message) context.addIssue({ code: "custom", message });
      }),
      managementAccountId: accountId,
      /** False when the audit account is not in the organization. */
      auditAccountInOrganization: z.boolean().optional(),
      trailArn: trail.optional(),
      previousTrailArn: trail.optional(),
      /** The name of the trail's stack, where that is one of the fleet's. */
      alias: z.string().min(1).optional(),
    })
    .optional(),
  /** The archive's other buckets, for copies and for access logs: like the log bucket, no trail is to record them. */
  otherBucketNames: z.array(z.string().min(1)).optional(),
  /** What the organization's policies are built from that the management stack attaches, if it is asked to. */
  guardrails: guardrailNamesSchema.optional(),
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
    throw problem("contract/missing", source, "The stack has no output contractVersion.", notAnAuditStack(source));
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
    `The contract of the audit stack ${source} is not usable. Nothing was changed.`,
    plainIssues(result.error.issues).map(({ path, message }) => ({
      id: "contract/value",
      severity: "error" as const,
      subject: subjectOf(path, outputs),
      message: sentence(message),
      remedy: `Run pulumi up for ${source}; this rewrites its outputs.`,
    })),
  );
}

/**
 * All of the contract that the program of a member's stack works with. Other members are not in it: a fleet that grows changes
 * nothing for those it has.
 */
export type MemberContract = Pick<
  Contract,
  | "contractVersion"
  | "partition"
  | "auditAccountId"
  | "bucketName"
  | "bucketRegion"
  | "logPrefix"
  | "keyArn"
  | "otherBucketNames"
  | "trails"
>;

/** What an account's stack needs of the contract. */
export function memberContract(contract: Contract, accountId: string): MemberContract {
  const { contractVersion, partition, auditAccountId, bucketName, bucketRegion, logPrefix, keyArn } = contract;
  const { otherBucketNames } = contract;
  return {
    contractVersion,
    partition,
    auditAccountId,
    bucketName,
    bucketRegion,
    logPrefix,
    keyArn,
    ...(otherBucketNames && { otherBucketNames }),
    trails: contract.trails.filter((each) => each.accountId === accountId),
  };
}

/** What a member stack may do, as the contract says. */
export interface Authorisation {
  trail: TrailIdentity;
  alias: string;
  previousTrailArn?: string;
  /** Set for the organization trail. */
  organizationId?: string;
}

/**
 * The trail that the contract authorizes for an account.
 * @param auditStack the stack the contract was read from; undefined when it was given in the configuration.
 * @throws UserError with the lines to add to the audit stack's configuration when there is none for this account and
 * Region.
 */
export function authorise(
  contract: Contract,
  member: { partition: Partition; accountId: string; region: string },
  auditStack: string | undefined,
): Authorisation {
  const refuse = (id: Finding["id"], subject: string, message: string, remedy: string): never => {
    const headline = auditStack ? `The audit stack ${auditStack}` : "The contract in crosstrail:contract";
    throw new UserError(`${headline} does not authorize this trail. Nothing was changed.`, [
      { id, severity: "error", subject, message, remedy },
    ]);
  };
  const deployAgain = auditStack
    ? `then run pulumi up for ${auditStack}, and this stack again.`
    : "then run pulumi up for the audit stack, copy its outputs to crosstrail:contract, and run this stack again.";
  const region = `aws:region = "${member.region}"`;

  if (member.partition !== contract.partition) {
    return refuse(
      "contract/partition",
      region,
      `This Region is in partition ${member.partition}; the archive is in ${contract.partition}, and logs cannot cross partitions.`,
      `Use a Region of partition ${contract.partition}, or an audit stack in ${member.partition}.`,
    );
  }
  if (member.accountId === contract.auditAccountId) {
    return refuse(
      "contract/audit-account",
      `account ${member.accountId}`,
      "This is the audit account itself; its trail belongs to the audit stack.",
      "Set crosstrail:auditAccountTrail to true in the audit stack's configuration, and remove this stack.",
    );
  }
  const entry = contract.trails.find(({ accountId }) => accountId === member.accountId);
  const trail = entry && parseTrailArn(entry.trailArn);
  if (!entry || !trail) {
    const count = contract.trails.length;
    return refuse(
      "contract/not-a-member",
      `account ${member.accountId}`,
      count === 0 ? "The contract names no trails." : `The account is not in the contract (${count}).`,
      [
        "Add these lines to the audit stack's configuration, under crosstrail:members:",
        "",
        `  - accountId: "${member.accountId}"`,
        "    alias: <a short name>",
        ...(member.region === contract.bucketRegion ? [] : [`    homeRegion: ${member.region}`]),
        "",
        deployAgain,
      ].join("\n"),
    );
  }
  if (trail.region !== member.region) {
    return refuse(
      "contract/region",
      region,
      `The contract authorizes ${entry.trailArn}, whose home Region is ${trail.region}.`,
      [
        `Set aws:region to ${trail.region}. Or move the trail's home: set it in the audit stack's configuration,`,
        "",
        `  - accountId: "${member.accountId}"`,
        `    alias: ${entry.alias}`,
        `    homeRegion: ${member.region}`,
        "",
        deployAgain,
      ].join("\n"),
    );
  }
  return { trail, alias: entry.alias, previousTrailArn: entry.previousTrailArn };
}

/**
 * The organization trail that the contract authorizes.
 * @throws UserError with the lines to add to the audit stack's configuration when there is none for this Region.
 */
export function authoriseOrganization(
  contract: Contract,
  stack: { partition: Partition; accountId: string; region: string },
  auditStack: string | undefined,
): Authorisation & { organizationId: string; managementAccountId: string } {
  const refuse = (id: Finding["id"], subject: string, message: string, remedy: string): never => {
    const headline = auditStack ? `The audit stack ${auditStack}` : "The contract in crosstrail:contract";
    throw new UserError(`${headline} does not authorize this organization trail. Nothing was changed.`, [
      { id, severity: "error", subject, message, remedy },
    ]);
  };
  const deployAgain = "then run pulumi up for the audit stack, and this stack again.";
  const region = `aws:region = "${stack.region}"`;
  if (stack.partition !== contract.partition) {
    return refuse(
      "contract/partition",
      region,
      `This Region is in partition ${stack.partition}; the archive is in ${contract.partition}, and an organization trail covers one partition.`,
      `Use a Region of partition ${contract.partition}, or an audit stack in ${stack.partition}.`,
    );
  }
  const { organization } = contract;
  const trail = organization?.trailArn === undefined ? undefined : parseTrailArn(organization.trailArn);
  if (!organization || !trail) {
    return refuse(
      "contract/no-organization",
      `account ${stack.accountId}`,
      organization
        ? "The audit stack's organization has trail: false, so the archive does not accept an organization trail."
        : "The audit stack declares no organization.",
      [
        "Add these lines to the audit stack's configuration:",
        "",
        "  crosstrail:organization:",
        `    id: ${organization?.id ?? "<o-..., from aws organizations describe-organization>"}`,
        `    managementAccountId: "${organization?.managementAccountId ?? stack.accountId}"`,
        ...(stack.region === contract.bucketRegion ? [] : [`    homeRegion: ${stack.region}`]),
        "",
        deployAgain,
      ].join("\n"),
    );
  }
  if (trail.region !== stack.region) {
    return refuse(
      "contract/region",
      region,
      `The contract authorizes ${organization.trailArn}, whose home Region is ${trail.region}. A trail can only be changed in its home Region.`,
      `Set aws:region to ${trail.region}. For a new trail with another home Region, set homeRegion: ${stack.region} in crosstrail:organization of the audit stack, ${deployAgain}`,
    );
  }
  return {
    trail,
    alias: "organization",
    previousTrailArn: organization.previousTrailArn,
    organizationId: organization.id,
    managementAccountId: organization.managementAccountId,
  };
}

/**
 * Refuses a change of a deployed trail's ARN, unless the contract authorizes the old trail as well: AWS cannot rename a
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
    `This trail is deployed, but the contract now authorizes ${wanted}. A trail cannot be ${renamed ? "renamed" : "moved"}: it would be replaced, and events in between would be lost.`,
    renamed
      ? [
          `Authorize both for a while. In the audit stack's configuration, for ${authorised.organizationId !== undefined ? "crosstrail:organization" : `account ${authorised.trail.accountId}`}:`,
          "",
          `    trailName: ${authorised.trail.name}`,
          `    previousTrailName: ${deployed.name}`,
          "",
          "then run pulumi up for the audit stack and for this one: the new trail is created before the old one is removed.",
          "Then remove previousTrailName and run pulumi up for the audit stack again.",
        ].join("\n")
      : [
          "Restore homeRegion in the audit stack's configuration. To move the trail permanently, destroy this stack",
          "(its logs stay in the archive), run pulumi up for the audit stack with the new homeRegion, then for this one.",
          "In between, this trail records nothing.",
        ].join("\n"),
  );
}

/**
 * Refuses to take over another trail than the contract authorizes: its deliveries would be refused.
 * @throws UserError with the lines to change in the audit stack's configuration.
 */
export function refuseOtherImport(importedArn: string, { trail, alias, organizationId }: Authorisation): void {
  const authorised = trailArn(trail);
  if (importedArn === authorised) return;
  const imported = parseTrailArn(importedArn);
  const name = imported?.name ?? "<its name>";
  throw problem(
    "trail/not-imported",
    `crosstrail:importTrail = "${importedArn}"`,
    organizationId === undefined
      ? `The contract authorizes another trail of this account: ${authorised}.`
      : `The contract authorizes another organization trail: ${authorised}.`,
    [
      `In the audit stack's configuration${organizationId === undefined ? ", under crosstrail:members" : ""}:`,
      "",
      ...(organizationId === undefined
        ? [`  - accountId: "${trail.accountId}"`, `    alias: ${alias}`]
        : [
            "  crosstrail:organization:",
            `    id: ${organizationId}`,
            `    managementAccountId: "${imported?.accountId ?? trail.accountId}"`,
          ]),
      `    homeRegion: ${trail.region}`,
      `    trailName: ${name}`,
      "",
      "then run pulumi up for the audit stack, and this stack again.",
    ].join("\n"),
  );
}

/**
 * Refuses to take over a trail beside the one that the audit stack has for its own account.
 * @param deployed the audit stack's outputs.
 * @throws UserError that says how to keep one of the two.
 */
export function refuseSecondOwnTrail(importedArn: string, deployed: Pick<Contract, "auditAccountId" | "trails">): void {
  const own = ownTrailOf(deployed);
  if (own === undefined || own === importedArn) return;
  throw new UserError("The audit stack has a trail of its own. Nothing was changed.", [
    {
      id: "trail/not-imported",
      severity: "error",
      subject: `crosstrail:importTrail = "${importedArn}"`,
      message: `The stack already manages ${own}; adopting another trail would replace it, and events in between would be lost.`,
      remedy:
        "Remove crosstrail:importTrail, and delete the other trail by hand if this one records what you need: AWS bills a second copy of the management events.",
    },
  ]);
}

/** ARN of the audit account's own trail, if the contract has one. */
export function ownTrailOf({
  auditAccountId,
  trails,
}: Pick<Contract, "auditAccountId" | "trails">): string | undefined {
  return trails.find(({ accountId }) => accountId === auditAccountId)?.trailArn;
}

/** `output trails[0].alias = "x"`, or that it is missing. */
function subjectOf(path: PropertyKey[], outputs: Record<string, unknown>): string {
  const value = valueAt(outputs, path);
  const name = `output ${pathText(path).slice(1)}`;
  return value === undefined ? `${name} is missing` : `${name} = ${JSON.stringify(value)}`;
}

function notAnAuditStack(source: string): string {
  return `Is ${source} an audit stack (crosstrail:role: audit), and was it deployed? Run pulumi up for it, or correct crosstrail:auditStack.`;
}

function problem(id: Finding["id"], subject: string, message: string, remedy: string): UserError {
  return new UserError("The audit stack and this stack do not agree. Nothing was changed.", [
    { id, severity: "error", subject, message, remedy },
  ]);
}
