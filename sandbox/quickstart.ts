// The README's first command: deploys an audit account and two members on this machine and shows that their logs arrive and can be verified.

import path from "node:path";
import { preview } from "../automation";
import { textOf } from "../automation/commands/_fleet";
import { table } from "../automation/layout";
import { pc } from "./colors";
import { type Contract, parseContract } from "../core/contract";
import type { Context } from "./context";
import { deployFleet } from "./deploy";
import { KEEP_LIMIT_MS } from "./emulator";
import { userError } from "./errors";
import { AUDIT_STACK, MEMBERS, OUTSIDER, ROOT } from "./accounts";
import { environment, installTools, openSandbox, type Sandbox } from "./index";
import { claimKept, cleanUp, findKept, KEPT, newRunFolder, removeFolder } from "./keep";
import { type Control, readControls } from "./controls";
import { arrivalProblems, letLogsArrive, tamper } from "./arrival";
import { askPolicies, type Matrix, matrixProblems, showMatrix } from "./questions";
import { type ReadBack, readBack } from "./readBack";
import type { SandboxRecord } from "./record";

const USAGE = "npm start [-- --keep]     --keep leaves the sandbox running, to try things by hand";

export async function command(context: Context, args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return;
  }
  const unknown = args.find((arg) => arg !== "--keep");
  if (unknown !== undefined) throw userError(`Unknown option ${unknown}.`, USAGE);
  const keep = args.includes("--keep");

  const kept = await findKept();
  if (keep && kept) {
    console.log(`A sandbox is running already, since ${new Date(kept.startedAt).toLocaleString()}.\n`);
    await previewKept(context, kept);
    printUsage();
    return;
  }
  await cleanUp();

  console.log(pc.bold("Crosstrail in a sandbox") + ": an audit account and two members on an AWS emulator.");
  console.log(pc.dim("All of it runs on this machine; it needs no AWS account and costs nothing.\n"));
  const tools = await installTools(context);

  const folder = keep ? claimKept() : newRunFolder();
  let sandbox: Sandbox | undefined;
  let isKept = false;
  try {
    sandbox = await context.progress.step("Isolated emulator and state", () =>
      openSandbox(context, { folder, tools, keep }),
    );
    const result = await deployAndAsk(context, sandbox);
    show(result.readBack);
    showMatrix(result.matrix);
    showControls(result.controls);
    const wrong = [...problems(result.readBack), ...matrixProblems(result.matrix)].slice(0, 20);
    if (wrong.length > 0) throw userError(["The deployed policies are not right:", ...wrong].join("\n  "));
    await showArrival(context, sandbox, result.contract, keep);
    if (keep) {
      await sandbox.release();
      isKept = true;
      printUsage();
    }
  } finally {
    if (!isKept) {
      await sandbox?.stop();
      removeFolder(folder);
    }
  }
  if (!isKept) {
    console.log(pc.dim("The emulator is stopped and the sandbox removed. `npm start -- --keep` leaves it running."));
  }
}

/** What `crosstrail up` would change in the sandbox that is kept: nothing is run that nobody has touched. */
async function previewKept({ progress, signal }: Context, record: SandboxRecord): Promise<void> {
  const result = await progress.step("crosstrail preview in this sandbox", () =>
    preview({ projectFolder: record.variables.PULUMI_OPTION_CWD, env: environment(record), signal }),
  );
  console.log(`\n${textOf("preview", result, pc)}`);
}

/** What was read back from AWS, and what it means. */
interface Found {
  contract: Contract;
  readBack: ReadBack;
  matrix: Matrix;
  controls: Control[];
}

async function deployAndAsk(context: Context, sandbox: Sandbox): Promise<Found> {
  await deployFleet(context, sandbox);
  return context.progress.step("Trails and policies read back from AWS", async () => {
    const contract = parseContract(await sandbox.outputs(AUDIT_STACK), AUDIT_STACK);
    const found = await readBack(contract, sandbox.aws);
    const controls = await readControls(contract, await sandbox.aws(contract.auditAccountId));
    return { contract, readBack: found, matrix: askPolicies(contract, found.deployed), controls };
  });
}

const yes = (value: boolean) => (value ? pc.green("yes") : pc.red("no"));
const allowed = (decisions: { allowed: boolean }[]) => decisions.every((decision) => decision.allowed);

function show({ trails, outsider }: ReadBack): void {
  const verdict = (decisions: { allowed: boolean }[]) =>
    allowed(decisions) ? pc.green("lets it deliver") : pc.red("refuses");
  const lines = table({
    head: ["Account", "", "Trail", "Logging", "Bucket policy", "Key policy"].map((title) => [pc.bold(title)]),
    rows: trails.map(({ alias, accountId, trailArn, isLogging, delivery }) => [
      alias,
      accountId,
      trailArn ?? pc.red("none"),
      yes(isLogging),
      verdict(delivery.bucket),
      verdict(delivery.key),
    ]),
    fixed: 2,
    width: process.stdout.columns ?? Infinity,
  });
  console.log(`\n${lines.join("\n")}\n`);
  const refused = [!allowed(outsider.bucket) && "the bucket policy", !allowed(outsider.key) && "the key policy"];
  const who = refused.filter(Boolean).join(" and ");
  console.log(
    who === ""
      ? pc.red(`Account ${OUTSIDER}, which is not in the fleet, could deliver too.\n`)
      : `Account ${OUTSIDER}, which is not in the fleet: ${pc.green("refused")} by ${who}.\n`,
  );
}

/** Logs arrive and are verified; in a sandbox that is not kept, they are also tampered with. */
async function showArrival(context: Context, sandbox: Sandbox, contract: Contract, keep: boolean): Promise<void> {
  const whole = await letLogsArrive(context, sandbox, contract);
  console.log(`\n${whole.text}\n`);
  const tampering = keep ? undefined : await tamper(context, sandbox, contract);
  if (tampering) console.log(`\n${tampering.verification.text}\n`);
  const wrong = arrivalProblems(whole, tampering);
  if (wrong.length > 0) throw userError(["The archive was not verified as it should be:", ...wrong].join("\n  "));
}

/** What guards the archive, as AWS has it. */
function showControls(controls: Control[]): void {
  const width = Math.max(...controls.map(([name]) => name.length));
  console.log(
    ["The log bucket:", ...controls.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join("\n") + "\n",
  );
}

function problems({ trails, outsider }: ReadBack): string[] {
  return [
    ...trails.flatMap(({ alias, trailArn, isLogging, delivery }) => [
      ...(trailArn === undefined ? [`${alias}: the account has no such trail`] : []),
      ...(isLogging ? [] : [`${alias}: the trail is not logging`]),
      ...delivery.reasons.map((reason) => `${alias}: ${reason}`),
    ]),
    ...(allowed(outsider.bucket)
      ? [`The bucket policy lets account ${OUTSIDER} write, which is not in the fleet`]
      : []),
    ...(allowed(outsider.key) ? [`The key policy lets account ${OUTSIDER} encrypt, which is not in the fleet`] : []),
  ];
}

function printUsage(): void {
  const hours = KEEP_LIMIT_MS / 3_600_000;
  const stacks = `${path.relative(ROOT, path.join(KEPT, "project"))}/Pulumi.<stack>.yaml`;
  const line = (text: string) => `  ${pc.cyan(text)}`;
  console.log(
    [
      `The sandbox stays until \`npm run sandbox:stop\`, at most ${hours} hours. To use it in this shell:`,
      "",
      line('eval "$(npm run -s sandbox:env)"'),
      line("pulumi preview -s audit"),
      line("pulumi up -s payments"),
      line("npm run -s sandbox:clock -- +3h"),
      "",
      `Its stacks are ${[AUDIT_STACK, ...Object.keys(MEMBERS)].join(", ")}; their settings are in ${stacks}.`,
    ].join("\n"),
  );
}
