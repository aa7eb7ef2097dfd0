// `npm run bench`: the policies for 500 members (policies.ts), and Crosstrail against a program written by hand with the same resources and Pulumi's defaults, in one run on
// the same emulator, so that the ratio means something on a shared machine; the seconds alone do not.

import fs from "node:fs";
import Table from "cli-table3";
import type { Context } from "../context";
import { userError } from "../errors";
import { AUDIT_ACCOUNT, AUDIT_STACK, auditConfig, deployRole, memberConfig } from "../accounts";
import { installTools, openSandbox, REGION, type Sandbox } from "../index";
import { cleanUp, newRunFolder } from "../keep";
import { benchFleet, parseFleetOptions } from "./fleet";
import { median, must, plainProject } from "./plain";
import { benchPolicies, showPolicies } from "./policies";
import { type Cost, measured } from "./processes";
import { benchVerify, parseVerifyOptions, VERIFY_USAGE } from "./verify";

const PREVIEWS = 5;
const FIRST_UPS = 3;

const USAGE = `npm run bench [-- policies | fleet [--members <n>] [--rounds <n>] [--beside all|terraform|none] | ${VERIFY_USAGE}]
  policies: only what needs no engine; fleet: an audit stack and 20 members, beside one Terraform root and stacks by hand;
  verify: against AWS's own tool, and from a folder`;

export async function command(context: Context, args: string[]): Promise<void> {
  const [what, ...more] = args;
  if (what === "verify") return benchVerify(context, parseVerifyOptions(more, USAGE));
  const fleetOptions = what === "fleet" ? parseFleetOptions(more, USAGE) : parseFleetOptions([], USAGE);
  if (what !== undefined && what !== "fleet" && (what !== "policies" || more.length > 0)) {
    throw userError(`Unknown arguments: ${args.join(" ")}.`, USAGE);
  }
  if (what !== "fleet") showPolicies(await benchPolicies(context.progress), median);
  if (what === "policies") return;
  await cleanUp();
  const tools = await installTools(context);
  const folder = newRunFolder();
  let sandbox: Sandbox | undefined;
  try {
    sandbox = await openSandbox(context, { folder, tools });
    if (what !== "fleet") show(await measure(context, sandbox));
    if (args.length === 0) {
      await sandbox.stop();
      sandbox = await openSandbox(context, { folder, tools });
    }
    await benchFleet(context, sandbox, tools.python, fleetOptions);
  } finally {
    await sandbox?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

type Row = { what: string; ours: Cost[]; plain: Cost[] };

async function measure(context: Context, sandbox: Sandbox): Promise<Row[]> {
  const { progress } = context;
  const member = "222222222222";
  const plain = {
    audit: await plainProject(sandbox, "plain-audit"),
    member: await plainProject(sandbox, "plain-member"),
  };
  const settings = (accountId: string) => ({
    "aws:region": REGION,
    "aws:allowedAccountIds": [accountId],
    ...(accountId === AUDIT_ACCOUNT ? {} : { "aws:assumeRoles": [{ roleArn: deployRole(accountId) }] }),
  });

  const firstUps: Row = { what: "first up of an audit stack", ours: [], plain: [] };
  for (let round = 1; round <= FIRST_UPS; round++) {
    await progress.step(`First up of an audit stack, round ${round} of ${FIRST_UPS}`, async (step) => {
      const last = round === FIRST_UPS;
      step.note("Crosstrail");
      await sandbox.stack(AUDIT_STACK, { ...auditConfig(), "crosstrail:keepArchive": last });
      firstUps.ours.push(await timed(sandbox, ["up", "--yes", "--skip-preview", "--stack", AUDIT_STACK]));
      step.note("written by hand");
      await plain.audit.stack("audit", settings(AUDIT_ACCOUNT));
      firstUps.plain.push(await timed(sandbox, ["up", "--yes", "--skip-preview", "--stack", "audit"], plain.audit.env));
      if (last) return;
      step.note("removing both");
      await timed(sandbox, ["destroy", "--yes", "--skip-preview", "--stack", AUDIT_STACK]);
      await timed(sandbox, ["destroy", "--yes", "--skip-preview", "--stack", "audit"], plain.audit.env);
    });
  }

  await sandbox.stack("payments", memberConfig(member));
  await plain.member.stack("payments", settings(member));
  const previews: Row = { what: "preview of a member stack", ours: [], plain: [] };
  for (let round = 1; round <= PREVIEWS; round++) {
    await progress.step(`Preview of a member stack, round ${round} of ${PREVIEWS}`, async (step) => {
      step.note("Crosstrail");
      previews.ours.push(await timed(sandbox, ["preview", "--stack", "payments"]));
      step.note("written by hand");
      previews.plain.push(await timed(sandbox, ["preview", "--stack", "payments"], plain.member.env));
    });
  }
  return [previews, firstUps];
}

function timed(sandbox: Sandbox, args: string[], env?: NodeJS.ProcessEnv): Promise<Cost> {
  return measured(() => must(sandbox, args, env));
}

function show(rows: Row[]): void {
  const table = new Table({
    head: ["", "Crosstrail: min / median / max", "by hand: min / median / max", "ratio of medians"],
    style: { head: [], border: [] },
  });
  const line = (values: number[], unit: string) =>
    `${[Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(unit === "s" ? 1 : 0)).join(" / ")} ${unit}`;
  for (const { what, ours, plain } of rows) {
    const add = (title: string, unit: string, of: (cost: Cost) => number) =>
      table.push([
        title,
        line(ours.map(of), unit),
        line(plain.map(of), unit),
        (median(ours.map(of)) / median(plain.map(of))).toFixed(2),
      ]);
    add(what, "s", ({ seconds }) => seconds);
    add(`${what}, peak memory`, "MiB", ({ megabytes }) => megabytes);
  }
  console.log(`\n${table.toString()}`);
  console.log(
    "Memory: resident pages of all processes of the operation, sampled four times a second; shared pages count for each.",
  );
}
