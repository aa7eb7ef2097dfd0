/** Runs the program of a stack as Pulumi does, with mocks instead of an engine. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { run as program } from "../../programs";
import type { AuditAccess } from "../../programs/archive";
import type { Run, World } from "../support/mocks";
import { startMocks, valueOf } from "../support/mocks";
import { asConfig } from "../support/config";

/** A stack's configuration: keys without a namespace are Crosstrail's. */
export function configOf(values: Record<string, unknown>): Record<string, string> {
  return asConfig(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name.includes(":") ? name : `crosstrail:${name}`, value]),
    ),
  );
}

/** The program's outputs, and what it registered. */
export async function deploy(world: World): Promise<{ run: Run; outputs: Record<string, unknown> }> {
  const run = await startMocks(world);
  const outputs = (await valueOf((await program(() => accessTo(world, run))) as Record<string, unknown>)) as Record<
    string,
    unknown
  >;
  await run.settle();
  return { run, outputs };
}

/** What the audit stack's program asks AWS, answered by the world. */
function accessTo({ roles = {}, mfaDelete, aliases = {} }: World, { calls }: Run): AuditAccess {
  const answer = <Value>(call: string, value: Value | Error | undefined) => {
    calls.push(call);
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  };
  return {
    roleArn: (name) => answer("iam:GetRole", roles[name]),
    mfaDelete: () => answer("s3:GetBucketVersioning", mfaDelete),
    aliasTarget: (name) => answer("kms:ListAliases", aliases[name]),
  };
}

/** Runs a program that must refuse: with exactly this message, without a stack trace, and with nothing registered. */
export async function refuses(world: World, lines: string[]): Promise<Run> {
  const run = await startMocks(world);
  await assert.rejects(
    program(() => accessTo(world, run)),
    (error: Error) => {
      assert.equal(error.message, lines.join("\n"));
      assert.ok(pulumi.RunError.isInstance(error), "Pulumi would print a stack trace");
      assert.equal(inspect(error), error.message, "Pulumi would inspect the error, and all it refers to");
      return true;
    },
  );
  await run.settle();
  assert.deepEqual(run.resources, []);
  return run;
}

/** The selector for management events, with these conditions as well. */
export function managementEvents(...conditions: object[]): object {
  return {
    name: "Management events selector",
    fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }, ...conditions],
  };
}
