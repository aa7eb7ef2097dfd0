/** A user's own cases: requests put to the archive's policies, with the answer that is expected. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AccessRequest, Decision } from "../core/evaluate";
import type { SimulatedFleet } from "../core/simulate";
import { compile, evaluate } from "../core/evaluate";
import { asked } from "../core/requests";
import type { ArchivePolicies } from "../core/simulate";
import { controlsFor, worldOf } from "../core/simulate";
import { accountIdProblem } from "../core/accounts";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import { pathText, plainIssues, sentence } from "../core/issues";
import { bucketArn } from "../core/names";
import { fileError, readText } from "./stackFile";

const text = z.string().min(1);
const accountId = z.string().superRefine((value, context) => {
  const message = accountIdProblem(value);
  if (message) context.addIssue({ code: "custom", message });
});

const caseSchema = z.strictObject({
  name: text,
  expect: z.enum(["allow", "deny"]),
  request: z.strictObject({
    caller: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("service"), service: text }),
      z.strictObject({
        kind: z.literal("account"),
        accountId: accountId.optional(),
        arn: text.optional(),
        roleArn: text.optional(),
      }),
      z.strictObject({ kind: z.literal("anonymous") }),
    ]),
    action: z
      .string()
      .regex(/^(s3|kms):[A-Za-z]+$/i, "an action on the bucket or the key, such as s3:GetObject or kms:Decrypt"),
    /** Left out: the archive's key, or its bucket. */
    resource: text.optional(),
    context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
  }),
  /** The caller's own policies. Left out: it has none. */
  identityPolicies: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** A case, with the file it is from. */
export type UserCase = z.infer<typeof caseSchema> & { file: string };

/** What came of a case. */
export interface CaseResult {
  name: string;
  file: string;
  request: AccessRequest;
  expected: "allow" | "deny";
  decision: Pick<Decision, "allowed" | "reason" | "decidedBy" | "explanation">;
  /** `undecided`: it depends on what is not known; give it in the case's `context`. */
  verdict: "ok" | "failed" | "undecided";
}

/**
 * Reads cases from files and folders of `.json` files; a file has one case or a list of them.
 * @throws UserError with everything that is wrong with any of them.
 */
export function readCases(paths: string[], fleet: SimulatedFleet): UserCase[] {
  const cases: UserCase[] = [];
  const findings: Finding[] = [];
  const report = (file: string, path: PropertyKey[], message: string) =>
    findings.push({
      id: "case/malformed",
      severity: "error",
      subject: `${file}${path.length > 0 ? `: ${pathText(path).replace(/^\./, "")}` : ""}`,
      message: sentence(message),
      remedy: "docs/cli.md shows what a case looks like.",
    });
  for (const file of paths.flatMap(filesOf)) {
    let value: unknown;
    try {
      value = JSON.parse(readText(file, "A file of cases"));
    } catch (error) {
      if (error instanceof UserError) throw error;
      report(file, [], `not valid JSON: ${(error as Error).message}`);
      continue;
    }
    const isList = Array.isArray(value);
    for (const [index, each] of (isList ? (value as unknown[]) : [value]).entries()) {
      const at = isList ? [index] : [];
      const result = caseSchema.safeParse(each);
      if (result.success) {
        const problem = resourceProblem(result.data.request, fleet);
        if (problem) report(file, [...at, "request", "resource"], problem);
        cases.push({ ...result.data, file });
      } else {
        for (const { path, message } of plainIssues(result.error.issues)) report(file, [...at, ...path], message);
      }
    }
  }
  if (findings.length > 0) {
    const count = findings.length === 1 ? "a mistake" : `${findings.length} mistakes`;
    throw new UserError(`The cases contain ${count}.`, findings);
  }
  return cases;
}

function filesOf(path: string): string[] {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch {
    throw fileError(
      path,
      "file/unreadable",
      "The file or folder does not exist.",
      "Correct the path.",
      "A file of cases",
    );
  }
  if (!isFolder) return [path];
  const files = readdirSync(path).filter((name) => name.endsWith(".json"));
  if (files.length === 0) {
    throw fileError(path, "case/none", "The folder contains no .json files.", "Correct the path.", "A folder of cases");
  }
  return files.sort().map((name) => join(path, name));
}

/** Only the archive's bucket and key have policies that could answer. */
function resourceProblem({ action, resource }: UserCase["request"], fleet: SimulatedFleet): string | undefined {
  if (resource === undefined) return undefined;
  if (isKms(action)) {
    return resource === fleet.keyArn ? undefined : `the archive's key is ${fleet.keyArn}; omit resource to use it`;
  }
  const bucket = bucketArn(fleet.partition, fleet.bucketName);
  return resource === bucket || resource.startsWith(`${bucket}/`)
    ? undefined
    : `the archive's bucket is ${bucket}; its objects are ${bucket}/...`;
}

/** Puts the cases to the policies. */
export function runCases(cases: UserCase[], fleet: SimulatedFleet, policies: ArchivePolicies): CaseResult[] {
  const compiled = {
    bucket: policies.bucket === undefined ? undefined : compile(policies.bucket, "bucket"),
    key: policies.key === undefined ? undefined : compile(policies.key, "key"),
  };
  return cases.map(({ name, file, expect, request: given, identityPolicies }) => {
    const target = isKms(given.action) ? "key" : "bucket";
    const source = sourceAccountOf(given.context);
    const request = asked(
      worldOf(fleet),
      {
        ...given,
        resource: given.resource ?? (target === "key" ? fleet.keyArn : bucketArn(fleet.partition, fleet.bucketName)),
        resourceAccountId: fleet.auditAccountId,
      },
      source,
    );
    const { allowed, reason, decidedBy, explanation } = evaluate(request, {
      resourcePolicy: compiled[target],
      resourceKind: target,
      // As text: the evaluator takes documents of any shape and says what is wrong with them.
      identityPolicies: identityPolicies?.map((policy) => JSON.stringify(policy)),
      ...controlsFor(fleet, policies, request.caller),
    });
    // What cannot be decided is not as expected, also where a refusal is.
    const isDecided = reason !== "notEvaluated" && reason !== "undecided";
    const asExpected = isDecided && allowed === (expect === "allow");
    return {
      name,
      file,
      request,
      expected: expect,
      decision: { allowed, reason, ...(decidedBy && { decidedBy }), explanation },
      verdict: asExpected ? "ok" : reason === "undecided" ? "undecided" : "failed",
    };
  });
}

/** The account on whose behalf a service asks, as far as the case says it. */
function sourceAccountOf(context: UserCase["request"]["context"] = {}): string | undefined {
  const find = (key: string) => {
    const value = Object.entries(context).find(([name]) => name.toLowerCase() === key)?.[1];
    return typeof value === "string" ? value : undefined;
  };
  return find("aws:sourceaccount") ?? find("aws:sourcearn")?.split(":")[4];
}

function isKms(action: string): boolean {
  return /^kms:/i.test(action);
}
