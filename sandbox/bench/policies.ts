// Policies for 500 members: how long it takes to build them, and to put the whole matrix of questions to them, against
// `@cloud-copilot/iam-simulate`, an independent IAM simulator, on the same questions in the same run.

import { anonymousPrincipal, runSimulation } from "@cloud-copilot/iam-simulate";
import Table from "cli-table3";
import { compile, judge } from "../../core/evaluate";
import { builtPolicies, type Cell, simulate, type SimulatedFleet } from "../../core/simulate";
import { buildContext, isUnknown } from "../../core/evaluate/context";
import { readCaller } from "../../core/evaluate/principals";
import { futureKeyArn } from "../../core/names";
import type { Progress } from "../progress";

const MEMBERS = 500;
const ROUNDS = 5;
/** The other simulator takes minutes for all of them, so both are given this many, evenly taken. */
const SAMPLE = 300;

const administrator = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" } as const] };

export interface PolicyBench {
  questions: number;
  forms: string;
  build: number[];
  matrix: number[];
  ours: number[];
  theirs: number[];
  /** How many of the sample both answer alike. */
  alike: number;
  sample: number;
}

export async function benchPolicies(progress: Progress): Promise<PolicyBench> {
  const fleet = fleetOf(MEMBERS);
  const policies = builtPolicies(fleet);
  const cells = simulate(fleet, policies);
  const step = cells.length / SAMPLE;
  const sample = Array.from({ length: SAMPLE }, (_, index) => cells[Math.floor(index * step)] as Cell);
  const asked = sample.map((cell) => forOther(cell, policies));
  const result: PolicyBench = {
    questions: cells.length,
    forms: `${policies.bucketForm}, ${policies.keyForm}`,
    build: [],
    matrix: [],
    ours: [],
    theirs: [],
    alike: 0,
    sample: SAMPLE,
  };
  for (let round = 1; round <= ROUNDS; round++) {
    await progress.step(`Policies for ${MEMBERS} members, round ${round} of ${ROUNDS}`, async (step) => {
      result.build.push(timed(() => builtPolicies(fleet)));
      result.matrix.push(timed(() => simulate(fleet, policies)));
      const answers: boolean[] = [];
      result.ours.push(
        timed(() => {
          const compiled = {
            bucket: compile(policies.bucket ?? "", "bucket"),
            key: compile(policies.key ?? "", "key"),
          };
          const identityPolicies = [compile(administrator, "identity")];
          for (const { request } of sample) {
            const resourceKind = request.action.startsWith("kms:") ? "key" : "bucket";
            const resourcePolicy = compiled[resourceKind];
            answers.push(judge(request, { resourcePolicy, resourceKind, identityPolicies }).allowed);
          }
        }),
      );
      step.note("the other simulator");
      const begin = process.hrtime.bigint();
      const others: boolean[] = [];
      for (const each of asked) {
        const outcome = await runSimulation(each, {});
        others.push(outcome.resultType === "single" && outcome.overallResult === "Allowed");
      }
      result.theirs.push(since(begin));
      result.alike = answers.filter((answer, index) => answer === others[index]).length;
    });
  }
  return result;
}

function fleetOf(size: number): SimulatedFleet {
  const [partition, region, auditAccountId] = ["aws", "eu-central-1", "111111111111"] as const;
  return {
    partition,
    auditAccountId,
    bucketName: "crosstrail-example-audit-logs-eu-central-11",
    logPrefix: "",
    keyArn: futureKeyArn(partition, region, auditAccountId),
    bucketKeyEnabled: false,
    trails: Array.from({ length: size }, (_, index) => {
      const accountId = String(200000000000 + ((index * 7919) % 10007));
      const trail = { partition, region, accountId, name: "organizationlog" };
      return { alias: `member-${index}`, trail, isPrevious: false };
    }),
  };
}

type Simulation = Parameters<typeof runSimulation>[0];

/** The question as the other simulator takes it. It derives no condition keys, and ignores those it does not know. */
function forOther({ request }: Cell, policies: { bucket: unknown; key: unknown }): Simulation {
  const caller = readCaller(request);
  if (typeof caller === "string") throw new Error(caller);
  const context = buildContext(request, caller);
  if (typeof context === "string") throw new Error(context);
  // As the tests do: it takes these for keys that the action does not have.
  const known = (text: string) =>
    text
      .replace(/kms:EncryptionContext:aws:cloudtrail:arn/gi, "aws:PrincipalTag/trail")
      .replace(/kms:CallerAccount/gi, "aws:PrincipalAccount");
  const resourcePolicy: unknown = request.action.startsWith("kms:") ? policies.key : policies.bucket;
  return {
    request: {
      principal: caller.kind === "anonymous" ? anonymousPrincipal : (caller.service ?? caller.arn ?? ""),
      action: request.action,
      resource: { resource: request.resource, accountId: request.resourceAccountId },
      contextVariables: Object.fromEntries(
        [...context].flatMap(([key, values]) =>
          // Nothing in Crosstrail's own policies depends on what is unknown.
          isUnknown(values) || values.length === 0
            ? []
            : [[known(key), values.length === 1 ? (values[0] as string) : [...values]]],
        ),
      ),
    },
    identityPolicies: caller.kind === "account" ? [{ name: "administrator", policy: administrator }] : [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: JSON.parse(known(JSON.stringify(resourcePolicy))) as unknown,
  };
}

function timed(work: () => void): number {
  const begin = process.hrtime.bigint();
  work();
  return since(begin);
}

function since(begin: bigint): number {
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

export function showPolicies(bench: PolicyBench, median: (values: number[]) => number): void {
  const table = new Table({ head: ["", "min / median / max"], style: { head: [], border: [] } });
  const line = (values: number[]) =>
    `${[Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(1)).join(" / ")} ms`;
  table.push(
    [`building both policies for ${MEMBERS} members (${bench.forms})`, line(bench.build)],
    [`the whole matrix, ${bench.questions} questions`, line(bench.matrix)],
    [`${bench.sample} of its questions, Crosstrail`, line(bench.ours)],
    [`the same ${bench.sample}, iam-simulate`, line(bench.theirs)],
  );
  console.log(`\n${table.toString()}`);
  const ratio = median(bench.theirs) / median(bench.ours);
  console.log(
    `Ratio of medians: ${ratio.toFixed(0)}. Both answer ${bench.alike} of ${bench.sample} questions alike.\n`,
  );
}
