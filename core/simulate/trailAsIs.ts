/**
 * A trail as AWS has it, held against the contract and put to the archive's policies: what was meant to be there says nothing
 * about whether logs arrive.
 */
import type { Contract } from "../contract";
import { compile } from "../evaluate/compile";
import type { PolicyInput } from "../evaluate/types";
import type { Finding } from "../findings";
import type { TrailDelivery } from "../requests";
import { whyNoDelivery } from "./delivery";
import { fleetOfContract, worldOf } from "./subject";

/** Where a trail delivers, as CloudTrail's GetTrail and GetTrailStatus answer. */
export interface TrailAsIs {
  trailArn: string;
  bucketName: string;
  /** "" for none. */
  logPrefix: string;
  /** Left out: the trail names no key. */
  keyArn?: string;
  isLogging: boolean;
  isOrganizationTrail: boolean;
  /** It delivers the events of every Region. Left out: nobody has said. */
  isMultiRegion?: boolean;
}

/** The policies that decide about deliveries to an archive. */
export interface ArchiveAsIs {
  bucketName: string;
  /** The account that owns the bucket. */
  auditAccountId: string;
  /** The bucket's policy; undefined when it has none. */
  bucket: PolicyInput | undefined;
  /** The policies of the archive's keys, by ARN. A key that is missing here is unknown; undefined: it has no policy. */
  keys: Record<string, PolicyInput | undefined>;
  /** The bucket uses S3 Bucket Keys. */
  bucketKey: boolean;
}

/** What becomes of a trail's logs. */
export const Arrival = {
  /** Bucket and key let CloudTrail deliver. */
  Delivers: "delivers",
  /** The bucket's or the key's policy refuses the trail's log files. */
  Refused: "refused",
  /** The trail delivers to another bucket, which is not judged here. */
  Elsewhere: "elsewhere",
  /** The policies of the key that the trail names are not known, or nobody can decide by a policy. */
  Undecided: "undecided",
} as const;
export type Arrival = (typeof Arrival)[keyof typeof Arrival];

/** The same archive with policies that are compiled once, for many trails. */
export function compiledArchive(archive: ArchiveAsIs): ArchiveAsIs {
  return {
    ...archive,
    bucket: archive.bucket === undefined ? undefined : compile(archive.bucket, "bucket"),
    keys: Object.fromEntries(
      Object.entries(archive.keys).map(([arn, policy]) => [
        arn,
        policy === undefined ? undefined : compile(policy, "key"),
      ]),
    ),
  };
}

/** The first reason, and how many more there are: log files, digests and other Regions mostly fail for the same one. */
export function reasonText([first = "", ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} (And ${others.length} more of its requests.)`;
}

/**
 * Puts a trail to the policies, with the bucket, prefix and key that it has.
 * @param contract says which accounts are the organization's.
 */
export function arrivalOf(
  trail: TrailAsIs,
  contract: Pick<Contract, "organization" | "trails" | "auditAccountId">,
  archive: ArchiveAsIs,
): { arrival: Arrival; reasons: string[] } {
  if (trail.bucketName !== archive.bucketName) {
    return { arrival: Arrival.Elsewhere, reasons: [`It delivers to bucket ${trail.bucketName || "(none)"}.`] };
  }
  const { keyArn } = trail;
  if (keyArn !== undefined && !Object.hasOwn(archive.keys, keyArn)) {
    return { arrival: Arrival.Undecided, reasons: [`Its key ${keyArn} is not one of the archive's.`] };
  }
  const policies = compiledArchive(archive);
  const keyPolicy = keyArn === undefined ? undefined : policies.keys[keyArn];
  const reasons = new Set<string>();
  let isRefused = false;
  for (const each of deliveriesOf(trail, contract, archive)) {
    const delivery = whyNoDelivery(policies.bucket, keyPolicy, each);
    for (const reason of delivery.reasons) reasons.add(reason);
    if (!delivery.delivers && !delivery.undecided) isRefused = true;
  }
  const arrival = isRefused ? Arrival.Refused : reasons.size === 0 ? Arrival.Delivers : Arrival.Undecided;
  return { arrival, reasons: [...reasons] };
}

function deliveriesOf(
  trail: TrailAsIs,
  contract: Pick<Contract, "organization" | "trails" | "auditAccountId">,
  archive: ArchiveAsIs,
): TrailDelivery[] {
  const { trailArn, bucketName, logPrefix, keyArn, isOrganizationTrail, isMultiRegion } = trail;
  const fleet = fleetOfContract(contract as Contract);
  const { organization } = fleet;
  return [
    {
      trailArn,
      bucketName,
      bucketAccountId: archive.auditAccountId,
      logPrefix,
      keyArn,
      isMultiRegion,
      bucketKey: archive.bucketKey,
      world: worldOf(fleet),
      ...(isOrganizationTrail &&
        organization && {
          organizationId: organization.id,
          memberAccountIds: organization.accountIds,
        }),
    },
  ];
}

/** What a trail delivers to, and what the contract says: bucket, prefix and key. */
export function deliveryDifferences(
  { bucketName, logPrefix, keyArn }: TrailAsIs,
  contract: Pick<Contract, "bucketName" | "logPrefix" | "keyArn">,
): { property: "bucketName" | "logPrefix" | "keyArn"; is: string; wanted: string }[] {
  const pairs = [
    ["bucketName", bucketName, contract.bucketName],
    ["logPrefix", logPrefix, contract.logPrefix],
    ["keyArn", keyArn ?? "", contract.keyArn],
  ] as const;
  return pairs.filter(([, is, wanted]) => is !== wanted).map(([property, is, wanted]) => ({ property, is, wanted }));
}

/** How CloudTrail calls what the contract calls otherwise. */
const words = { bucketName: "S3BucketName", logPrefix: "S3KeyPrefix", keyArn: "KmsKeyId" } as const;

/**
 * Everything about a trail's delivery that is not as the contract says, or that the deployed policies refuse.
 * @param stack the trail's stack, for remedies.
 * @param archive undefined: its policies could not be read, and the trail is held against the contract only.
 */
export function deliveryFindings(
  trail: TrailAsIs,
  contract: Contract,
  archive: ArchiveAsIs | undefined,
  stack: string,
): Finding[] {
  const differences = deliveryDifferences(trail, contract);
  const findings: Finding[] = [];
  if (archive !== undefined) {
    const { arrival, reasons } = arrivalOf(trail, contract, archive);
    if (arrival === Arrival.Refused) {
      findings.push({
        id: "trail/cut-off",
        severity: "error",
        subject: trail.trailArn,
        message: `${trail.isLogging ? "Its logs are being lost" : "Its logs would be lost"}: the deployed policies refuse the trail as AWS has it (${stateText(trail)}). ${reasonText(reasons)}`,
        remedy: remedyFor(differences.length > 0, stack),
      });
    } else if (arrival === Arrival.Undecided) {
      findings.push({
        id: "trail/undecided",
        severity: "error",
        subject: trail.trailArn,
        message: `Whether its logs arrive could not be decided. ${reasonText(reasons)}`,
        remedy: remedyFor(true, stack),
      });
    }
  }
  if (differences.length > 0) {
    findings.push({
      id: "trail/delivery",
      severity: "error",
      subject: trail.trailArn,
      message: differences
        .map(
          ({ property, is, wanted }) =>
            `${words[property]} is ${shown(is)}, and the contract says ${shown(wanted)}${isFormer(property, is, contract) ? ": the trail has not moved yet" : ""}.`,
        )
        .join("\n"),
      remedy: remedyFor(true, stack),
    });
  }
  return findings;
}

function isFormer(property: string, value: string, { previousLogPrefix, previousKeyArns = [] }: Contract): boolean {
  if (property === "logPrefix") return value === previousLogPrefix;
  return property === "keyArn" && previousKeyArns.includes(value);
}

function remedyFor(differs: boolean, stack: string): string {
  return differs
    ? `crosstrail up --refresh --only ${stack}: it sets what the contract says.`
    : "Bring up the audit stack with --refresh; crosstrail simulate --deployed shows which statement refuses the trail.";
}

function shown(value: string): string {
  return value === "" ? "none" : value;
}

/** `prefix logs, key arn:...` */
export function stateText({ logPrefix, keyArn = "" }: Pick<TrailAsIs, "logPrefix" | "keyArn">): string {
  return `prefix ${shown(logPrefix)}, key ${shown(keyArn)}`;
}
