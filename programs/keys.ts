/** The archive's keys: one, or while and after trails moved to a new one, several. docs/organizations.md describes the move. */
import * as pulumi from "@pulumi/pulumi";
import { AuditKey } from "../components/auditKey";
import { archiveInput, componentArgs } from "../core/archivePolicies";
import { stackTag } from "../core/fleet";
import { isMultiRegionKey } from "../core/names";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import type { AuditSettings } from "../core/settings";
import type { AliasTarget, AuditAccess } from "./archive";
import { reasonOf } from "./archive";
import { fullStackName } from "./stack";
import { warn } from "./warning";

/** ARNs of the keys that the stack has deployed, the oldest first. */
export function deployedKeyArns(deployed: Record<string, unknown>): string[] {
  const { keyArn, previousKeyArns } = deployed;
  if (typeof keyArn !== "string") return [];
  return [keyArn, ...((previousKeyArns as string[] | undefined) ?? [])].reverse();
}

/** Makes the keys, the oldest first: the last one is what trails are to encrypt with. */
export function auditKeys(settings: AuditSettings, deployed: Record<string, unknown>): ArchiveKeys {
  const { keyGeneration: newest, keepArchive: keep, tags } = settings;
  const { keyReplicaRegions, replication } = settings.replicas;
  const made = deployedKeyArns(deployed);
  const keys = Array.from({ length: newest }, (_, index) => {
    const generation = index + 1;
    const arn = made[index];
    const isFormer = generation < newest;
    return new AuditKey(generation === 1 ? "audit" : `audit-${generation}`, {
      ...componentArgs(archiveInput(settings)),
      // A former key still decrypts for readers; trails encrypt with the one before the newest while they move.
      mayEncrypt: !isFormer || (generation === newest - 1 && settings.previousKeyInUse),
      aliasName: aliasOf(settings, generation),
      rotationPeriodInDays: settings.keyRotationDays,
      policyForm: settings.keyPolicyForm,
      // What was made for one Region stays so.
      replicaRegions: arn !== undefined && !isMultiRegionKey(arn) ? [] : keyReplicaRegions,
      // S3 decrypts what was encrypted with any of them, and encrypts copies with the newest.
      replication: replication && {
        ...replication,
        encryptsCopies: !isFormer && replication.keyArn === undefined,
      },
      keep,
      tags: { ...tags, [stackTag]: tagOf(generation) },
    });
  });
  const newestKey = keys[newest - 1] as AuditKey;
  const former = keys.slice(0, -1).reverse();
  return {
    all: keys,
    newest: newestKey,
    arns: {
      keyArn: newestKey.keyArn,
      ...(former.length > 0 && { previousKeyArns: pulumi.all(former.map(({ keyArn }) => keyArn)) }),
    },
  };
}

/** The archive's keys. */
export interface ArchiveKeys {
  /** The oldest first. */
  all: AuditKey[];
  newest: AuditKey;
  /** The newest key's ARN and, if there are any, the former ones', the last one first: as components and the contract name them. */
  arns: { keyArn: pulumi.Output<string>; previousKeyArns?: pulumi.Output<string[]> };
}

/** A key's alias, without `alias/`. */
function aliasOf({ keyAlias }: AuditSettings, generation: number): string {
  return generation === 1 ? keyAlias : `${keyAlias}-${generation}`;
}

/**
 * Refuses an alias that another key of the account has, before anything is created. Asks only for keys that are not deployed yet.
 * @throws UserError that names the key of the configuration.
 */
export async function refuseTakenAlias(
  settings: AuditSettings,
  deployed: Record<string, unknown>,
  access: AuditAccess,
): Promise<void> {
  const findings: Finding[] = [];
  for (let generation = deployedKeyArns(deployed).length + 1; generation <= settings.keyGeneration; generation++) {
    const alias = `alias/${aliasOf(settings, generation)}`;
    let target: AliasTarget | undefined;
    try {
      target = await access.aliasTarget(alias);
    } catch (error) {
      // KMS itself refuses a second one.
      await warn({
        id: "key/alias-not-checked",
        subject: alias,
        message: `Whether it is free could not be checked: ${reasonOf(error)}`,
        remedy:
          "Allow the deploying role kms:ListAliases. If the alias is taken, the update fails when it creates the key's alias.",
      });
      continue;
    }
    // An update that failed halfway may have made it already.
    if (target === undefined || target.stack === tagOf(generation)) continue;
    const owner = target.stack === undefined ? "" : `, of stack ${target.stack}`;
    findings.push({
      id: "key/alias-taken",
      severity: "error",
      subject: `crosstrail:keyAlias = "${settings.keyAlias}"`,
      message: `Account ${settings.auditAccountId} already has ${alias}, for key ${target.keyId}${owner}. An alias is unique in its account and Region.`,
      remedy: `Choose another alias: pulumi config set --stack ${pulumi.getStack()} keyAlias <name>`,
    });
  }
  if (findings.length > 0) throw new UserError("The key's alias is taken. Nothing was changed.", findings);
}

/** By which an interrupted run finds the key again that it made: each has another one. */
function tagOf(generation: number): string {
  const stack = fullStackName(pulumi.getStack());
  return generation === 1 ? stack : `${stack}:${generation}`;
}
