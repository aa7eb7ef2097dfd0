/**
 * What bringing up the audit stack takes away: a bucket, prefix, key or name with which a trail could deliver before, and will
 * not be able to afterwards. Whether a trail still needs it only AWS knows, so AWS is asked before anything is taken away.
 */
import { archiveInput } from "../archivePolicies";
import { replicationOfKey } from "../policies/replication";
import type { Contract } from "../contract";
import type { Finding } from "../findings";
import { futureKeyArn, parseTrailArn } from "../names";
import { bucketPolicy } from "../policies/bucket";
import { keyPolicy } from "../policies/key";
import type { AuditSettings } from "../settings";
import type { ArchiveAsIs, TrailAsIs } from "../simulate";
import { Arrival, arrivalOf, compiledArchive, reasonText, stateText } from "../simulate";
import { declaredContract } from "./stacks";

/** A trail that the deployed audit stack authorizes, and that the declared one would refuse in some state that it may be in. */
export interface TakenAway {
  trailArn: string;
  alias: string;
  accountId: string;
  isOrganizationTrail: boolean;
  /** The account is not declared any more. */
  isRemoved: boolean;
}

/** The keys of an archive as far as they are known, the newest first, and with which of them trails may encrypt. */
export function keysAfter(deployed: Contract, settings: AuditSettings): { arn: string; mayEncrypt: boolean }[] {
  const { partition, region, auditAccountId, keyGeneration: newest, previousKeyInUse } = settings;
  const made = [...(deployed.previousKeyArns ?? [])].reverse().concat(deployed.keyArn);
  return Array.from({ length: newest }, (_, index) => {
    const generation = index + 1;
    return {
      arn: made[index] ?? futureKeyArn(partition, region, auditAccountId),
      mayEncrypt: generation === newest || (generation === newest - 1 && previousKeyInUse),
    };
  }).reverse();
}

/**
 * The archive's policies as the settings would have them.
 * @throws UserError when they do not fit into AWS's limits.
 */
export function archiveAfter(deployed: Contract, settings: AuditSettings): ArchiveAsIs {
  const keys = keysAfter(deployed, settings);
  const [keyArn = deployed.keyArn, ...previousKeyArns] = keys.map(({ arn }) => arn);
  const input = { ...archiveInput(settings), keyArn, previousKeyArns };
  const { replication } = settings.replicas;
  return {
    bucketName: settings.bucketName,
    auditAccountId: settings.auditAccountId,
    bucket: bucketPolicy(input, settings.bucketPolicyForm).document,
    keys: Object.fromEntries(
      keys.map(({ arn, mayEncrypt }, index) => {
        // Copies are encrypted with the newest key only.
        const ownKey = index === 0 && replication?.keyArn === undefined;
        const copies = replication && replicationOfKey(replication, settings.region, ownKey);
        return [arn, keyPolicy({ ...input, mayEncrypt, replication: copies }, settings.keyPolicyForm).document];
      }),
    ),
    bucketKey: settings.bucketKeyEnabled,
  };
}

/** A declared contract is a contract except the key, of which nothing depends here. */
function contractAfter(deployed: Contract, settings: AuditSettings): Contract {
  return { ...declaredContract(settings), keyArn: deployed.keyArn };
}

/** The states in which the deployed contract lets a trail deliver. */
function statesOf(deployed: Contract): Pick<TrailAsIs, "logPrefix" | "keyArn">[] {
  const { logPrefix, previousLogPrefix, keyArn, previousKeyArns = [], previousKeyInUse } = deployed;
  const prefixes = new Set([logPrefix, previousLogPrefix ?? logPrefix]);
  // An audit stack that was deployed before this was recorded may still let trails use it.
  const keys = [keyArn, ...(previousKeyInUse === false ? [] : previousKeyArns.slice(0, 1))];
  return [...prefixes].flatMap((prefix) => keys.map((key) => ({ logPrefix: prefix, keyArn: key })));
}

/**
 * The trails from which bringing up the audit stack may take something away. The audit account's own is not among them: the
 * same update moves it. Empty: nothing is narrowed, and AWS need not be asked.
 * @throws UserError when the new policies do not fit into AWS's limits.
 */
export function takenAway(deployed: Contract, settings: AuditSettings): TakenAway[] {
  // Another archive is refused by the audit stack itself.
  if (deployed.bucketName !== settings.bucketName || deployed.auditAccountId !== settings.auditAccountId) return [];
  const after = compiledArchive(archiveAfter(deployed, settings));
  const contract = contractAfter(deployed, settings);
  const declared = new Set([
    ...contract.trails.map(({ accountId }) => accountId),
    ...(contract.organization?.trailArn === undefined ? [] : [contract.organization.managementAccountId]),
  ]);
  const states = statesOf(deployed);
  const { organization } = deployed;
  const candidates = [
    ...deployed.trails
      .filter(({ accountId }) => accountId !== deployed.auditAccountId)
      .flatMap(({ alias, accountId, trailArn, previousTrailArn }) =>
        [trailArn, previousTrailArn].map((arn) => ({ alias, accountId, arn, isOrganizationTrail: false })),
      ),
    ...[organization?.trailArn, organization?.previousTrailArn].map((arn) => ({
      alias: organization?.alias ?? "organization",
      accountId: organization?.managementAccountId ?? "",
      arn,
      isOrganizationTrail: true,
    })),
  ];
  const lost = candidates.flatMap(({ alias, accountId, arn, isOrganizationTrail }): TakenAway[] => {
    if (arn === undefined) return [];
    const isLost = states.some((state) => {
      const trail = { ...state, trailArn: arn, bucketName: deployed.bucketName, isLogging: true, isOrganizationTrail };
      return arrivalOf(trail, contract, after).arrival !== Arrival.Delivers;
    });
    return isLost
      ? [{ trailArn: arn, alias, accountId, isOrganizationTrail, isRemoved: !declared.has(accountId) }]
      : [];
  });
  // While one kind of trail becomes the other, it is in the contract as both.
  return [...new Map(lost.map((each) => [each.trailArn, each])).values()];
}

/** What AWS answered about a trail; why it could not be asked; undefined: there is no such trail. */
export type Answer = TrailAsIs | { notAsked: string } | undefined;

/** Says why nothing may be taken away from this trail, or nothing. */
export function narrowingFinding(
  taken: TakenAway,
  answer: Answer,
  deployed: Contract,
  settings: AuditSettings,
): Finding | undefined {
  if (answer === undefined) return undefined;
  const { trailArn, alias, accountId, isRemoved } = taken;
  const subject = `${alias} ${accountId}: ${trailArn}`;
  if ("notAsked" in answer) {
    return {
      id: "archive/not-asked",
      severity: "error",
      subject,
      message: `The audit stack would take away what this trail may still need, and AWS could not be asked whether it does. ${answer.notAsked}`,
      remedy: isRemoved
        ? "Make the account accessible and rerun the command. If the trail or the account is gone: crosstrail up --remove-members <n>, with the number of members that are removed."
        : `Make the account accessible and rerun the command. If the account is closed: remove it from crosstrail:members and pulumi stack rm ${alias} --force.`,
    };
  }
  // A trail that does not log has nothing to lose; it is refused, and read back, when it is started.
  if (!answer.isLogging) return undefined;
  const { arrival, reasons } = arrivalOf(
    answer,
    contractAfter(deployed, settings),
    compiledArchive(archiveAfter(deployed, settings)),
  );
  if (arrival === Arrival.Delivers || arrival === Arrival.Elsewhere) return undefined;
  return {
    id: "archive/still-needed",
    severity: "error",
    subject,
    message: `This trail logs with ${stateText(answer)}, and the policies would refuse it from then on: its logs would be lost. ${reasonText(reasons)}`,
    remedy: keepRemedy(taken, answer, deployed, settings),
  };
}

/** How to keep what the trail needs, and how to move it. */
function keepRemedy(
  { trailArn, alias, accountId, isRemoved, isOrganizationTrail }: TakenAway,
  trail: TrailAsIs,
  deployed: Contract,
  settings: AuditSettings,
): string {
  if (isRemoved) {
    return isOrganizationTrail
      ? "Destroy the organization trail first, by its own stack; or declare it again in crosstrail:organization."
      : `Delete the trail first: crosstrail destroy --only ${alias}, or pulumi destroy --run-program -s <its stack>. Or declare the account again in crosstrail:members.`;
  }
  const contract = contractAfter(deployed, settings);
  const names = [
    ...contract.trails.filter((each) => each.accountId === accountId),
    ...(contract.organization?.managementAccountId === accountId ? [contract.organization] : []),
  ].flatMap((each) => [each.trailArn, each.previousTrailArn]);
  if (!names.includes(trailArn)) {
    const before = parseTrailArn(trailArn);
    const after = parseTrailArn(names.find((name) => name !== undefined) ?? "");
    if (before && after && before.region !== after.region) {
      return `A trail cannot be moved to another home Region. Set homeRegion back to ${before.region}.`;
    }
    const where = isOrganizationTrail ? "crosstrail:organization" : `the entry of ${accountId} in crosstrail:members`;
    return [
      `Authorize both for a while. In ${where}:`,
      "",
      `    previousTrailName: ${before?.name ?? ""}`,
      "",
      "then crosstrail up. Afterwards remove it and run crosstrail up again.",
    ].join("\n");
  }
  const prefixes = [settings.logPrefix, settings.previousLogPrefix ?? settings.logPrefix];
  if (!prefixes.includes(trail.logPrefix)) {
    return trail.logPrefix === deployed.logPrefix
      ? [
          "Move the trails step by step: set crosstrail:logPrefix back, then",
          `crosstrail migrate --to log-prefix --prefix ${settings.logPrefix === "" ? '""' : settings.logPrefix}`,
          `Or keep the former prefix open: crosstrail:previousLogPrefix: ${trail.logPrefix === "" ? '"/"' : trail.logPrefix}`,
        ].join("\n")
      : `Move the trail first: set crosstrail:previousLogPrefix back to ${trail.logPrefix === "" ? '"/"' : trail.logPrefix}, then crosstrail up --only ${alias}`;
  }
  const mayUse = keysAfter(deployed, settings).filter(({ mayEncrypt }) => mayEncrypt);
  if (!mayUse.some(({ arn }) => arn === trail.keyArn)) {
    return trail.keyArn === deployed.keyArn
      ? [
          "Move the trails step by step: set crosstrail:keyGeneration back, then crosstrail migrate --to new-key",
          "Or let trails use both keys meanwhile: crosstrail:previousKeyInUse: true",
        ].join("\n")
      : `Move the trail first: set crosstrail:previousKeyInUse back to true, then crosstrail up --only ${alias}`;
  }
  return `Bring the trail's stack up first: crosstrail up --only ${alias}. If that changes nothing, undo the change of the audit stack.`;
}
