/**
 * The calls that the AWS provider made to the emulator, held against what the deploy roles grant (core/roles/table.ts).
 * Every engine test ends with `expectGranted`; the test that covers a feature, with `expectAllUsed` for it as well.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { evaluate } from "../../core/evaluate";
import { roleArn, trailArn } from "../../core/names";
import type { Feature, FeatureName, RoleNames, RoleAccess } from "../../core/roles";
import { callsOf as operationsOf, features, RoleAccount, rolePermissions } from "../../core/roles";
import { AUDIT_ACCOUNT } from "../../sandbox/fleet";

/** A call as sandbox/emulator/calls.py notes it. */
export interface Call {
  /** The service as in the signature: s3, kms, monitoring. */
  service: string;
  operation: string;
  account: string;
  region: string;
  /** Its short parameters: names and ids of resources among them. */
  parameters: Record<string, string | undefined>;
  agent: string;
  status: number;
}

/** The test files that use a feature in full. A new feature is added here, and its test calls {@link expectAllUsed}. */
export const coveredBy: Record<FeatureName, string> = {
  stack: "foundation.test.ts",
  trail: "foundation.test.ts",
  archive: "foundation.test.ts",
  readers: "readers.test.ts",
};

/** What the provider has called so far; calls of the tests' own are not among it. */
export function callsOf(box: { folder: string }): Call[] {
  const text = fs.readFileSync(path.join(box.folder, "logs", "calls.jsonl"), "utf8");
  const calls = text.split("\n").filter(Boolean);
  return calls.map((line) => JSON.parse(line) as Call).filter(({ agent }) => agent.includes("terraform-provider-aws"));
}

/** Every call is granted to the role of its account, on the resource that it names. */
export function expectGranted(calls: Call[], access: RoleAccess): void {
  const refused = new Set<string>();
  for (const call of calls) {
    const why = whyRefused(call, access);
    if (why !== undefined) refused.add(why);
  }
  assert.deepEqual([...refused], [], `calls that no ${access} role may make: see core/roles/table.ts`);
}

/** Why no role may make the call, or undefined. */
export function whyRefused(call: Call, access: RoleAccess): string | undefined {
  // Entering the accounts is the hub's; see `hubPermissions`.
  if (call.service === "sts" && call.operation === "AssumeRole") return undefined;
  const name = `${call.service}:${call.operation}`;
  const account = call.account === AUDIT_ACCOUNT ? RoleAccount.Audit : RoleAccount.Member;
  const actions = actionsFor(name);
  if (actions.length === 0) return `${name} in ${account}: no row of the table is for this call`;
  // Its own names: what is asked is whether the kind of resource is right.
  const { Bucket = "none", AliasName = "none", RoleName = "none" } = call.parameters;
  const names: RoleNames = {
    partition: "aws",
    accountId: call.account,
    region: call.region,
    trailNames: [trailOf(call)?.split("/").at(-1) ?? "none"],
    ...(account === RoleAccount.Audit && {
      archive: { bucketName: Bucket, keyAlias: AliasName.replace(/^alias\//, ""), readerNames: [RoleName] },
    }),
  };
  const policy = rolePermissions(account, access, names);
  for (const action of actions) {
    for (const resource of resourcesOf(call)) {
      const { allowed, explanation } = evaluate(
        {
          caller: { kind: "account", arn: roleArn("aws", call.account, "CrosstrailDeploy") },
          action,
          resource,
          resourceAccountId: call.account,
          context: contextOf(call),
        },
        { identityPolicies: [policy], resourceKind: "other" },
      );
      if (!allowed) return `${name} in ${account}: ${explanation}`;
    }
  }
  return undefined;
}

/** Every row of these features was needed by one of the calls. */
export function expectAllUsed(calls: Call[], ...names: FeatureName[]): void {
  const made = new Set(calls.map(({ service, operation }) => `${service}:${operation}`));
  const unused: string[] = [];
  for (const name of names) {
    for (const grant of (features[name] as Feature).grants) {
      const missing = operationsOf(grant).filter((call) => !made.has(call));
      if (missing.length > 0) unused.push(`${grant.action} is granted for ${missing.join()}, which nobody called`);
    }
  }
  assert.deepEqual(unused, []);
}

/** The actions that IAM asks for when this operation is called. */
function actionsFor(call: string): string[] {
  const grants = (Object.values(features) as Feature[]).flatMap((feature) => feature.grants);
  return [...new Set(grants.filter((grant) => operationsOf(grant).includes(call)).map(({ action }) => action))];
}

/** The ARNs of what the call is about; where it names nothing, one that only `*` matches. */
function resourcesOf({ service, account: accountId, region, parameters }: Call): string[] {
  const arn = (kind: string, id: string) =>
    id.startsWith("arn:") ? id : `arn:aws:${kind}:${region}:${accountId}:${id}`;
  const nothing = [arn(service, "nothing")];
  const { Bucket, Key, KeyId, TargetKeyId, AliasName, RoleName } = parameters;
  switch (service) {
    case "s3":
      return Bucket ? [`arn:aws:s3:::${Key ? `${Bucket}/${Key}` : Bucket}`] : nothing;
    case "kms": {
      const key = KeyId ?? TargetKeyId;
      const found = [...(AliasName ? [arn("kms", AliasName)] : []), ...(key ? [arn("kms", `key/${key}`)] : [])];
      return found.length > 0 ? found : nothing;
    }
    case "cloudtrail": {
      const name = trailOf({ parameters });
      if (name === undefined) return nothing;
      return [name.startsWith("arn:") ? name : trailArn({ partition: "aws", region, accountId, name })];
    }
    case "iam":
      return RoleName ? [roleArn("aws", accountId, RoleName)] : nothing;
    default:
      return nothing;
  }
}

/** A trail's name or ARN, under whatever name the operation has for it. */
function trailOf({ parameters }: Pick<Call, "parameters">): string | undefined {
  return parameters.Name ?? parameters.TrailName ?? parameters.ResourceId ?? parameters.ResourceIdList;
}

/** The condition keys that the table's conditions ask for. */
function contextOf({ service, operation, parameters }: Call): Record<string, string> {
  if (service !== "kms" || operation !== "CreateKey") return {};
  const { KeySpec, CustomerMasterKeySpec, KeyUsage } = parameters;
  return {
    "kms:KeySpec": KeySpec ?? CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
    "kms:KeyUsage": KeyUsage ?? "ENCRYPT_DECRYPT",
  };
}
