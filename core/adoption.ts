/**
 * Bringing a trail that somebody made by hand under Crosstrail: the configuration of the stack that takes it over unchanged, and
 * what stands in the way. A member's trail and an organization's get a stack of their own; the audit account's own trail comes
 * under the audit stack. Where the configuration cannot say what the trail has, that part stays unchanged.
 */
import type { Partition } from "./accounts";
import { regions } from "./accounts";
import type { Contract } from "./contract";
import { contractVersion, ownTrailOf } from "./contract";
import type { AdvancedEventSelector } from "./events";
import { eventProblems } from "./events";
import type { Finding } from "./findings";
import { LeaveAsIs } from "./leftAsIs";
import type { TrailIdentity } from "./names";
import { parseKeyArn, parseTrailArn } from "./names";
import type { KeyName, Member } from "./settings";
import { acceptsValue, Role } from "./settings";

/** A trail as AWS describes it, with what of it Crosstrail's configuration may say. */
export interface FoundTrail {
  arn: string;
  bucketName: string;
  /** Empty: none. */
  logPrefix: string;
  /** Empty: the logs are not encrypted with a key of KMS. */
  keyArn: string;
  isMultiRegionTrail: boolean;
  enableLogFileValidation: boolean;
  includeGlobalServiceEvents: boolean;
  enableLogging: boolean;
  isOrganizationTrail: boolean;
  /** As in the configuration; empty where the trail has basic ones or CloudTrail's default. */
  advancedEventSelectors: unknown[];
  insightTypes: string[];
  /** Empty: none. */
  logGroupArn: string;
  topic: string;
  tags: Record<string, string>;
}

/** Where the trail's stack belongs. */
export interface AdoptionPlace {
  /** The account that was looked at. */
  accountId: string;
  /**
   * The archive that the trail delivers to, or is to deliver to. Left out: it stays with the bucket and key that it
   * has.
   */
  contract?: Contract;
  /** The contract says what the audit stack's configuration declares, and not what is deployed: its key is not known. */
  isDeclared?: boolean;
  /** The audit stack, for the member stack's reference. */
  auditStack: string;
  /** The account's organization as AWS describes it; undefined where it was not asked, or does not say. */
  organization?: { id: string; managementAccountId: string };
  /** The member's alias; default: the contract's for this account, or the trail's name as far as it fits. */
  alias?: string;
}

/** What of a trail's delivery differs from the archive's. */
export interface Difference {
  property: "S3BucketName" | "S3KeyPrefix" | "KmsKeyId";
  is: string;
  archive: string;
}

export interface Adoption {
  trailArn: string;
  /** The role of the stack that adopts it. */
  role: Role;
  /** The name of that stack. */
  alias: string;
  /**
   * The stack's configuration, with namespaces; only what differs from the defaults. For the audit account's own trail: the keys to
   * add to the audit stack's.
   */
  config: Record<string, unknown>;
  /** A member's entry in the audit stack's configuration. */
  member?: Pick<Member, "accountId" | "alias" | "homeRegion" | "trailName">;
  /** The organization trail's. */
  organization?: { id: string; managementAccountId: string; homeRegion?: string; trailName: string };
  /** The contract authorizes the trail already, or there is no audit stack to do so. */
  authorised: boolean;
  /** Where it delivers differently; empty when it delivers to the archive. */
  differences: Difference[];
  leaveAsIs: LeaveAsIs[];
  findings: Finding[];
}

/** Why a trail cannot be adopted; empty when it can. */
export function whyNotAdopted(found: FoundTrail, place: AdoptionPlace): Finding[] {
  const { accountId, contract } = place;
  const findings: Finding[] = [];
  const add = (id: Finding["id"], message: string, remedy: string) =>
    void findings.push({ id, severity: "error", subject: found.arn, message, remedy });
  const trail = parseTrailArn(found.arn);
  if (!trail || trail.accountId !== accountId) {
    add(
      "adopt/foreign",
      `This trail belongs to ${trail ? `account ${trail.accountId}` : "another account"}; members of an organization also see the organization's trail.`,
      "Adopt it in the account that owns it.",
    );
    return findings;
  }
  if (found.isOrganizationTrail) findings.push(...whyNotOrganization(found, place));
  if (trail.name.startsWith("aws-controltower-")) {
    add(
      "adopt/control-tower",
      "This trail belongs to AWS Control Tower, which reverts any change to it.",
      "Let Control Tower manage it. To replace it with a Crosstrail trail, turn CloudTrail off in the landing zone settings.",
    );
  }
  const stackName = found.tags["aws:cloudformation:stack-name"];
  if (stackName !== undefined) {
    add(
      "adopt/cloudformation",
      `This trail belongs to the CloudFormation stack ${stackName}; two owners would undo each other's changes.`,
      "Set DeletionPolicy: Retain on the trail and deploy the stack, remove the trail from the template, then adopt it.",
    );
  }
  if (contract) findings.push(...whyNotTo(contract, found, trail, place.isDeclared === true));
  else if (!ownerOf(found, accountId)) {
    add(
      "adopt/own-archive",
      found.keyArn === ""
        ? `It delivers to bucket ${found.bucketName} without a key. Trails of a fleet encrypt with the audit account's key.`
        : `It encrypts with a key in its own account. Trails of a fleet deliver to another account's archive.`,
      "Name the archive it should deliver to: --contract <file>, with the output of pulumi stack output --json for the audit stack. If this is the audit account, and its stack is not deployed yet: --config <file>, with the audit stack's configuration.",
    );
  }
  return findings;
}

/** Why the organization's trail cannot be that of the organization which the audit stack declares, or is to declare. */
function whyNotOrganization(found: FoundTrail, { accountId, contract, organization }: AdoptionPlace): Finding[] {
  const refuse = (message: string, remedy: string): Finding[] => [
    { id: "adopt/organization", severity: "error", subject: found.arn, message, remedy },
  ];
  const declared = contract?.organization;
  if (declared && declared.managementAccountId !== accountId) {
    return refuse(
      `The audit stack declares organization ${declared.id} with management account ${declared.managementAccountId}; this organization trail belongs to account ${accountId}.`,
      "Correct crosstrail:organization in the audit stack's configuration, or use the contract of the audit stack for this organization.",
    );
  }
  if (declared && organization && declared.id !== organization.id) {
    return refuse(
      `The audit stack declares organization ${declared.id}; this account is in organization ${organization.id}.`,
      `Set id: ${organization.id} in crosstrail:organization of the audit stack, and deploy it.`,
    );
  }
  if (!contract && !organization) {
    return refuse(
      "This is an organization trail, and the organization could not be read, so its ID is not known.",
      "Use credentials that allow organizations:DescribeOrganization, or name the archive: --contract <file>.",
    );
  }
  return [];
}

function whyNotTo(contract: Contract, found: FoundTrail, trail: TrailIdentity, isDeclared: boolean): Finding[] {
  const refuse = (id: Finding["id"], message: string, remedy: string): Finding[] => [
    { id, severity: "error", subject: found.arn, message, remedy },
  ];
  if (contract.partition !== trail.partition) {
    return refuse(
      "contract/partition",
      `It is in partition ${trail.partition}; the archive is in ${contract.partition}, and logs cannot cross partitions.`,
      `Use the contract of an audit stack in ${trail.partition}.`,
    );
  }
  if (contract.auditAccountId !== trail.accountId || found.isOrganizationTrail) return [];
  if (contract.bucketRegion !== trail.region) {
    return refuse(
      "adopt/audit-account",
      `Its home Region is ${trail.region}; the audit stack works in ${contract.bucketRegion}, and a trail can only be changed in its home Region.`,
      "Keep it unmanaged, or delete it once the audit stack's own trail delivers.",
    );
  }
  const own = ownTrailOf(contract);
  if (!isDeclared && own !== undefined) {
    if (own !== found.arn) {
      return refuse(
        "adopt/audit-account",
        `This is the audit account, and the audit stack already has a trail of its own: ${own}.`,
        "Delete this one, once you no longer need it: AWS bills a second copy of the management events. Or, to keep this one unmanaged instead, set crosstrail:auditAccountTrail to false.",
      );
    }
    return refuse("adopt/audit-account", "The audit stack has this trail already.", "Nothing to do.");
  }
  return [];
}

/** The role of the stack that a trail comes under. */
function roleFor({ isOrganizationTrail }: FoundTrail, { accountId, contract }: AdoptionPlace): Role {
  if (isOrganizationTrail) return Role.Management;
  return contract?.auditAccountId === accountId ? Role.Audit : Role.Member;
}

/** The owner of the bucket and key that a trail delivers to, when that is another account. */
function ownerOf({ keyArn }: FoundTrail, accountId: string): string | undefined {
  const owner = parseKeyArn(keyArn)?.accountId;
  return owner === accountId ? undefined : owner;
}

/** How a trail is adopted, that nothing prevents. */
export function adoptionOf(found: FoundTrail, place: AdoptionPlace): Adoption {
  const trail = parseTrailArn(found.arn) as TrailIdentity;
  const { accountId, contract } = place;
  const role = roleFor(found, place);
  const differences = contract ? differencesTo(contract, found) : [];
  const { options, leaveAsIs } = optionsOf(found, differences);
  const common = {
    "crosstrail:importTrail": found.arn,
    ...(leaveAsIs.length > 0 && { "crosstrail:leaveAsIs": leaveAsIs }),
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [`crosstrail:${name}`, value])),
    ...(!regions[trail.partition].includes(trail.region) && { "crosstrail:extraRegions": [trail.region] }),
  };
  const { alias, authorisedArn, ...entry } = entryOf(role, trail, place);
  const isAudit = role === Role.Audit;
  const source = contract
    ? { "crosstrail:auditStack": place.auditStack }
    : { "crosstrail:contract": contractOf(found, trail, alias, place) };
  return {
    trailArn: found.arn,
    role,
    alias,
    config: isAudit
      ? {
          // Where the contract has no trail of the account, the configuration says that there is none.
          ...(contract && ownTrailOf(contract) === undefined && { "crosstrail:auditAccountTrail": true }),
          ...common,
        }
      : {
          "aws:region": trail.region,
          "aws:allowedAccountIds": [accountId],
          "crosstrail:role": role,
          "crosstrail:accountId": accountId,
          ...source,
          ...common,
        },
    ...entry,
    // The audit stack authorizes the trail in the very update that imports it.
    authorised: !contract || isAudit || authorisedArn === found.arn,
    differences,
    leaveAsIs,
    findings: findingsOf(found, leaveAsIs, isAudit ? undefined : authorisedArn, role),
  };
}

/** What the audit stack has to declare, and what it authorizes now. */
function entryOf(
  role: Role,
  trail: TrailIdentity,
  { accountId, contract, auditStack, alias: wanted, organization }: AdoptionPlace,
): Pick<Adoption, "alias" | "member" | "organization"> & { authorisedArn?: string } {
  const home = { ...(trail.region !== contract?.bucketRegion && { homeRegion: trail.region }), trailName: trail.name };
  if (role === Role.Audit) return { alias: auditStack };
  if (role === Role.Management) {
    const declared = contract?.organization;
    return {
      alias: wanted ?? declared?.alias ?? "management",
      authorisedArn: declared?.trailArn,
      organization: {
        id: declared?.id ?? organization?.id ?? "<o-..., from aws organizations describe-organization>",
        managementAccountId: accountId,
        ...home,
      },
    };
  }
  const entry = contract?.trails.find((each) => each.accountId === accountId);
  const alias = wanted ?? entry?.alias ?? aliasFor(trail);
  return { alias, authorisedArn: entry?.trailArn, member: { accountId, alias, ...home } };
}

function differencesTo(contract: Contract, found: FoundTrail): Difference[] {
  const all: Difference[] = [
    { property: "S3BucketName", is: found.bucketName, archive: contract.bucketName },
    { property: "S3KeyPrefix", is: found.logPrefix, archive: contract.logPrefix },
    { property: "KmsKeyId", is: found.keyArn, archive: contract.keyArn },
  ];
  return all.filter(({ is, archive }) => is !== archive);
}

/** The options of the configuration that say what the trail has, and what they cannot say. */
function optionsOf(
  found: FoundTrail,
  differences: Difference[],
): { options: Partial<Record<KeyName, unknown>>; leaveAsIs: LeaveAsIs[] } {
  const options: Partial<Record<KeyName, unknown>> = {};
  const leaveAsIs: LeaveAsIs[] = [];
  const say = (name: KeyName, value: unknown, isDefault: boolean, part?: LeaveAsIs) => {
    if (isDefault) return;
    if (part === undefined || acceptsValue(name, value)) options[name] = value;
    else leaveAsIs.push(part);
  };
  if (differences.length > 0) leaveAsIs.push(LeaveAsIs.Delivery);
  for (const name of [
    "isMultiRegionTrail",
    "enableLogFileValidation",
    "includeGlobalServiceEvents",
    "enableLogging",
  ] as const) {
    say(name, found[name], found[name]);
  }
  // Basic ones would become advanced ones that record the same: a change, if a harmless one.
  const { advancedEventSelectors } = found;
  if (advancedEventSelectors.length > 0 && areAccepted(advancedEventSelectors)) {
    options.advancedEventSelectors = advancedEventSelectors;
  } else leaveAsIs.push(LeaveAsIs.EventSelectors);
  say("insightTypes", found.insightTypes, found.insightTypes.length === 0, LeaveAsIs.Insights);
  if (found.logGroupArn !== "") leaveAsIs.push(LeaveAsIs.CloudWatchLogs);
  if (found.topic !== "") leaveAsIs.push(LeaveAsIs.Sns);
  // AWS's own tags are nobody else's to set.
  const tags = Object.fromEntries(Object.entries(found.tags).filter(([name]) => !name.startsWith("aws:")));
  say("tags", tags, Object.keys(tags).length === 0);
  return { options, leaveAsIs };
}

function areAccepted(selectors: unknown[]): selectors is AdvancedEventSelector[] {
  return (
    acceptsValue("advancedEventSelectors", selectors) &&
    eventProblems({ advancedEventSelectors: selectors as AdvancedEventSelector[] }).length === 0
  );
}

/**
 * A contract of the bucket and key that the trail has: they stay with their owner, and no stack of Crosstrail's has
 * them.
 */
function contractOf(
  found: FoundTrail,
  { partition, accountId }: TrailIdentity,
  alias: string,
  { organization }: AdoptionPlace,
): Contract {
  // CloudTrail takes a key of the bucket's Region only. That the bucket is the key's owner's is not known, and not used.
  const { region = "", accountId: auditAccountId = "" } = parseKeyArn(found.keyArn) ?? {};
  return {
    contractVersion,
    partition: partition as Partition,
    auditAccountId,
    bucketName: found.bucketName,
    bucketRegion: region,
    logPrefix: found.logPrefix,
    keyArn: found.keyArn,
    ...(found.isOrganizationTrail && organization
      ? { trails: [], organization: { ...organization, trailArn: found.arn } }
      : { trails: [{ accountId, alias, trailArn: found.arn }] }),
  };
}

/** The trail's name as an alias; aliases have fewer characters, and name a stack. */
function aliasFor({ accountId, name }: TrailIdentity): string {
  return `${name
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, "-")
    .slice(0, 50)}-${accountId}`;
}

const why: Record<LeaveAsIs, [message: string, remedy: string]> = {
  [LeaveAsIs.Delivery]: [
    "It does not deliver to the archive, and this stays unchanged.",
    "To redirect it, remove delivery from crosstrail:leaveAsIs once the audit stack authorizes the trail. The next preview shows the change, in place.",
  ],
  [LeaveAsIs.EventSelectors]: [
    "Its event selectors are basic, CloudTrail's default, or beyond what the configuration can express. They stay unmanaged.",
    "To manage them, remove eventSelectors from crosstrail:leaveAsIs. The next preview shows what changes, in place.",
  ],
  [LeaveAsIs.Insights]: [
    "It records a type of Insights that the configuration does not know. They stay unmanaged.",
    "To manage them, set crosstrail:insightTypes and remove insights from crosstrail:leaveAsIs.",
  ],
  [LeaveAsIs.CloudWatchLogs]: [
    "It delivers to an existing CloudWatch Logs log group. Both stay unmanaged.",
    "Nothing to do. Removing cloudWatchLogs from crosstrail:leaveAsIs ends that delivery.",
  ],
  [LeaveAsIs.Sns]: [
    "It publishes to an existing SNS topic. Both stay unmanaged.",
    "Nothing to do. Removing sns from crosstrail:leaveAsIs ends the publishing.",
  ],
};

function findingsOf(
  found: FoundTrail,
  leaveAsIs: LeaveAsIs[],
  authorisedArn: string | undefined,
  role: Role,
): Finding[] {
  const findings = leaveAsIs.map((part): Finding => {
    const [message, remedy] = why[part];
    const severity = part === LeaveAsIs.Delivery ? "warning" : "info";
    return { id: "adopt/left-as-is", severity, subject: `crosstrail:leaveAsIs: ${part}`, message, remedy };
  });
  if (authorisedArn !== undefined && authorisedArn !== found.arn) {
    findings.push({
      id: "adopt/other-trail",
      severity: "warning",
      subject: found.arn,
      message:
        role === Role.Management
          ? `The audit stack authorizes another organization trail, ${authorisedArn}. It declares one organization trail.`
          : `The audit stack authorizes another trail of this account, ${authorisedArn}. It has one entry per account.`,
      remedy: "Change the entry only if that trail does not deliver: its deliveries would be refused from then on.",
    });
  }
  return findings;
}
