// `crosstrail verify` against `aws cloudtrail validate-logs` on the same buckets of the same emulator, and from a folder.

import fs from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import Table from "cli-table3";
import { run } from "../../automation/process";
import type { PublicKey } from "../../core/logs";
import { wholeSeconds } from "../../core/logs";
import { AUDIT_ACCOUNT, ROOT } from "../accounts";
import { aws, installAwsCli } from "../awsCli";
import type { Context } from "../context";
import { userError } from "../errors";
import { installTools, openSandbox, REGION } from "../index";
import { cleanUp, newRunFolder } from "../keep";
import { type ArchiveOptions, chainsOf, KeyRing, makeArchive, type MadeTrail, putObjects, writeFolder } from "../logs";
import { type Cost, measured } from "./processes";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const BUCKET = "bench-verify";
const TRAIL = "crosstrail";
/** Digests of this time are signed with a key in PKCS#1, the encoding that AWS's tool reads. */
const FROM = Date.UTC(2025, 2, 4);
/** The chains' hours do not begin on the hour. */
const MARGIN = 2 * HOUR;

export const VERIFY_USAGE =
  "verify [--accounts <n>] [--hours <n>] [--latency <ms>] [--files <n>] [--only emulator|folder]";

export interface VerifyBenchOptions {
  accounts: number;
  hours: number;
  /** What each answer waits for in milliseconds, besides the emulator's own time. */
  latency: number;
  /** In the folder. */
  files: number;
  only?: "emulator" | "folder";
}

export function parseVerifyOptions(args: string[], usage: string): VerifyBenchOptions {
  const number = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { accounts: number, hours: number, latency: number, files: number, only: number },
    });
    const whole = (name: "accounts" | "hours" | "latency" | "files", fallback: number, least: number) => {
      const value = values[name] === undefined ? fallback : Number(values[name]);
      if (Number.isInteger(value) && value >= least) return value;
      throw new Error(`--${name} ${values[name]} is not a whole number of at least ${least}.`);
    };
    const { only } = values;
    if (only !== undefined && only !== "emulator" && only !== "folder") throw new Error(`--only ${only} is unknown.`);
    return {
      accounts: whole("accounts", 20, 1),
      hours: whole("hours", 24, 1),
      latency: whole("latency", 30, 0),
      files: whole("files", 100_000, 1000),
      ...(only && { only }),
    };
  } catch (error) {
    throw userError((error as Error).message, usage);
  }
}

export async function benchVerify(context: Context, options: VerifyBenchOptions): Promise<void> {
  if (options.only !== "folder") await onEmulator(context, options);
  if (options.only !== "emulator") await inFolder(context, options);
}

function archiveOf(accounts: number, hours: number): ArchiveOptions & { trails: MadeTrail[] } {
  const regions = [REGION, "eu-west-1"];
  const trails = Array.from({ length: accounts }, (_, index) => {
    return { name: TRAIL, accounts: [String(222222222222 + index)], regions, from: FROM, hours };
  });
  return { bucket: BUCKET, trails };
}

async function onEmulator(context: Context, { accounts, hours, latency }: VerifyBenchOptions): Promise<void> {
  const { progress } = context;
  await cleanUp();
  const tools = await installTools(context);
  const python = await progress.step("AWS CLI", (step) => installAwsCli(context, step));
  const box = await openSandbox(context, { folder: newRunFolder(), tools });
  const far = await distant(box.endpoint, latency);
  const archive = archiveOf(accounts, hours);
  const keys = new KeyRing(1);
  const listing = await keyServer(() => keys.list());
  const s3 = new S3Client({ ...(await box.aws(AUDIT_ACCOUNT)), forcePathStyle: true });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const files = await progress.step("Making an archive, and putting it into the emulator", () =>
      putObjects(s3, BUCKET, makeArchive(archive, keys)),
    );
    const env = {
      ...box.env,
      AWS_ENDPOINT_URL_S3: far.endpoint,
      AWS_ENDPOINT_URL_CLOUDTRAIL: listing.endpoint,
      XDG_STATE_HOME: path.join(box.folder, "verify-state"),
    };
    const until = wholeSeconds(FROM + hours * HOUR + MARGIN);
    const ours = await progress.step(`crosstrail verify: ${files} files`, () =>
      measured(() => crosstrail(["--bucket", BUCKET, "--region", REGION, "--until", until], env)),
    );
    const chains = chainsOf(archive);
    const theirs = await progress.step(`aws cloudtrail validate-logs: ${chains.length} times`, (step) =>
      measured(async () => {
        for (const [index, { accountId, region }] of chains.entries()) {
          context.signal.throwIfAborted();
          step.note(`${index + 1} of ${chains.length}`);
          const { code, text } = await aws(
            python,
            [
              ...["cloudtrail", "validate-logs", "--region", region, "--s3-bucket", BUCKET],
              ...["--trail-arn", `arn:aws:cloudtrail:${REGION}:${accountId}:trail/${TRAIL}`],
              ...["--start-time", wholeSeconds(FROM - MARGIN), "--end-time", until],
            ],
            env,
            10 * MINUTE,
          );
          if (code !== 0) throw userError(`validate-logs ended with ${code}:\n${text}`);
        }
      }),
    );
    showBoth(`${accounts} accounts × 2 Regions × ${hours} hours, ${files} files, ${latency} ms`, ours, theirs, files);
  } finally {
    s3.destroy();
    await Promise.all([far.close(), listing.close()]);
    await box.stop();
  }
}

async function inFolder(context: Context, options: VerifyBenchOptions): Promise<void> {
  const { progress } = context;
  const folder = newRunFolder();
  const archive = path.join(folder, "archive");
  try {
    fs.mkdirSync(folder, { recursive: true });
    // Some 12.4 files each hour of an account and Region, digests included.
    const accounts = 10;
    const hours = Math.ceil(options.files / 12.4 / 2 / accounts);
    let made!: Awaited<ReturnType<typeof writeFolder>>;
    const before = process.cpuUsage();
    const making = await progress.step(`Making an archive of ${options.files} files in a folder`, () =>
      measured(async () => {
        made = await writeFolder(archive, archiveOf(accounts, hours));
      }),
    );
    // The maker works in threads of this process.
    const { user, system } = process.cpuUsage(before);
    const list = path.join(folder, "keys.json");
    fs.writeFileSync(list, JSON.stringify({ PublicKeyList: made.keys.list().map(asAwsDoes) }));
    const env = { ...process.env, XDG_STATE_HOME: path.join(folder, "verify-state") };
    const args = ["--folder", archive, "--copy-of", BUCKET, "--public-keys", list];
    const cost = await progress.step("crosstrail verify", () => measured(() => crosstrail(args, env)));
    const table = new Table({
      head: ["a folder", "files", "time", "files/s", "processor", "files/processor s", "peak memory", "others"],
      style: { head: [], border: [] },
    });
    const row = (what: string, { seconds, cpu, megabytes, others }: Cost) =>
      table.push([
        what,
        made.files,
        `${seconds.toFixed(1)} s`,
        Math.round(made.files / seconds),
        `${cpu.toFixed(1)} s`,
        Math.round(made.files / cpu),
        `${Math.round(megabytes)} MiB`,
        others.toFixed(1),
      ]);
    row("making it", { ...making, cpu: (user + system) / 1e6, megabytes: process.memoryUsage().rss / 2 ** 20 });
    row("crosstrail verify", cost);
    console.log(`\n${table.toString()}`);
    console.log(`${(made.bytes / made.files / 1024).toFixed(1)} KiB for each file on average.`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the command as a user does; it must find everything whole. */
async function crosstrail(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const program = path.join(ROOT, "bin", "crosstrail.js");
  const { code, stdout, stderr } = await run(process.execPath, [program, "verify", ...args], {
    env,
    timeoutMs: 60 * MINUTE,
  });
  if (code !== 0) throw userError(`crosstrail verify ended with ${code}:\n${(stdout + stderr).trim()}`);
}

function showBoth(title: string, ours: Cost, theirs: Cost, files: number): void {
  const table = new Table({
    head: [title, "time", "files/s", "processor", "emulator", "peak memory", "others", "times faster"],
    style: { head: [], border: [] },
  });
  const row = (what: string, { seconds, cpu, emulator, megabytes, others }: Cost, faster: string) =>
    table.push([
      what,
      `${seconds.toFixed(1)} s`,
      Math.round(files / seconds),
      `${cpu.toFixed(1)} s`,
      `${emulator.toFixed(1)} s`,
      `${Math.round(megabytes)} MiB`,
      others.toFixed(1),
      faster,
    ]);
  row("crosstrail verify", ours, (theirs.seconds / ours.seconds).toFixed(1));
  row("aws cloudtrail validate-logs", theirs, "");
  console.log(`\n${table.toString()}`);
}

/** The same server, farther away: each of its answers comes so many milliseconds later. Requests at the same time wait at the same time. */
async function distant(endpoint: string, latency: number): Promise<{ endpoint: string; close(): Promise<void> }> {
  const { port } = new URL(endpoint);
  const open = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => open.delete(socket));
    }
    client.pipe(upstream);
    upstream.on("data", (bytes) => setTimeout(() => client.writable && client.write(bytes), latency));
    upstream.on("end", () => setTimeout(() => client.end(), latency));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A CloudTrail that has the archive's keys. */
async function keyServer(list: () => PublicKey[]): Promise<{ endpoint: string; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(JSON.stringify({ PublicKeyList: list().map(asAwsDoes) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function asAwsDoes({ value, fingerprint, validFrom, validUntil }: PublicKey) {
  return {
    Value: value,
    Fingerprint: fingerprint,
    ValidityStartTime: validFrom / 1000,
    ValidityEndTime: validUntil / 1000,
  };
}
