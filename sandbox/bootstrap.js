// @ts-check
"use strict";

/**
 * Runs before `npm start`, `npm test` and `npm run bench`: makes sure that node_modules is what package-lock.json says, so that a
 * fresh clone needs no other command first. Plain JavaScript without dependencies, as none are installed yet.
 */

const { spawn } = require("node:child_process");
const { createHash, randomUUID } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.join(__dirname, "..");
const STAMP = path.join(ROOT, "node_modules", ".crosstrail-lock");
const OLDEST_NODE = 20;
const LIMIT_MS = 15 * 60_000;

function requireNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= OLDEST_NODE) return;
  console.error(`Crosstrail needs Node.js ${OLDEST_NODE} or newer; this is ${process.versions.node}.`);
  console.error("  → Install a newer one, from https://nodejs.org or with your version manager, and start again.");
  process.exit(1);
}

function wanted() {
  return createHash("sha256")
    .update(fs.readFileSync(path.join(ROOT, "package-lock.json")))
    .digest("hex");
}

function isInstalled() {
  try {
    return fs.readFileSync(STAMP, "utf8") === wanted();
  } catch {
    return false;
  }
}

/**
 * Somebody ran `npm ci` or `npm install` by hand: npm's own record of what it installed then agrees with the lock file.
 * @returns {boolean}
 */
function npmAgrees() {
  try {
    const read = (/** @type {string} */ file) => JSON.parse(fs.readFileSync(path.join(ROOT, file), "utf8")).packages;
    const installed = read("node_modules/.package-lock.json");
    return Object.entries(read("package-lock.json")).every(([name, entry]) => {
      if (name === "") return true;
      const found = installed[name];
      // Optional packages are those for other platforms.
      return found ? found.version === entry.version && found.integrity === entry.integrity : entry.optional === true;
    });
  } catch {
    return false;
  }
}

/** Outside of node_modules, which npm removes, and of the repository. */
function lockFolder() {
  const base = process.env.XDG_CACHE_HOME;
  const cache = base && path.isAbsolute(base) ? base : path.join(os.homedir(), ".cache");
  const name = createHash("sha256").update(fs.realpathSync(ROOT)).digest("hex").slice(0, 16);
  return path.join(cache, "crosstrail", `npm-ci-${name}.lock`);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * Of several starts at once one installs and the others wait for it.
 * @returns {Promise<() => void>}
 */
async function lock() {
  const file = lockFolder();
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  let told = false;
  try {
    for (;;) {
      try {
        // A hard link appears whole or not at all, so the file always names its owner.
        fs.linkSync(mine, file);
        return () => fs.rmSync(file, { force: true });
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
      }
      const owner = Number(readOr(file, "0"));
      if (owner > 0 && !isAlive(owner)) {
        // Moved away first: of several that see a dead owner only one may remove it.
        const dead = `${mine}.dead`;
        try {
          fs.renameSync(file, dead);
          if (Number(readOr(dead, "0")) !== owner) fs.linkSync(dead, file);
        } catch {
          // Another one was faster.
        }
        fs.rmSync(dead, { force: true });
        continue;
      }
      if (!told) console.log(`… waiting for process ${owner}, which installs the dependencies`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

/**
 * @param {string} file
 * @param {string} otherwise
 */
function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}

/** Runs `npm ci` under the guard (automation/process/guard.js), so that nothing of it outlives us. */
function npmCi() {
  const log = path.join(path.dirname(lockFolder()), "npm-ci.log");
  fs.rmSync(log, { force: true });
  const id = randomUUID();
  const outer = process.env.CROSSTRAIL_RUN_ID;
  // The npm that runs us, if one does; its settings come along in the environment.
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  const guard = spawn(process.execPath, [path.join(ROOT, "automation", "process", "guard.js"), id], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  guard.stderr?.on("data", (chunk) => (errors = (errors + chunk).slice(-4000)));
  guard.send({
    type: "run",
    spec: {
      id,
      command,
      args: [...args, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
      cwd: ROOT,
      env: { ...process.env, CROSSTRAIL_RUN_ID: outer ? `${outer}:${id}` : id },
      timeoutMs: LIMIT_MS,
      stopSignal: "SIGTERM",
      graceMs: 3000,
      stdin: "ignore",
      logFile: log,
    },
  });
  const parent = process.ppid;
  /** @type {number | undefined} */
  let stopped;
  /** @param {number} code */
  const stop = (code) => {
    if (stopped === undefined) console.log("\nStopping the installation …");
    stopped = code;
    if (guard.connected) guard.send({ type: "stop", signal: "SIGTERM" });
  };
  process.on("SIGINT", () => stop(130));
  process.on("SIGTERM", () => stop(143));
  process.on("SIGHUP", () => stop(129));
  // npm was killed, and did not tell us.
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) stop(143);
  }, 500);
  return new Promise((resolve) => {
    /** @type {{ code: number | null, timedOut: boolean } | undefined} */
    let ended;
    guard.on("message", (/** @type {any} */ report) => {
      if (report.type === "ended") ended = report;
      if (report.type === "failed") errors = report.message;
    });
    guard.on("close", () => {
      clearInterval(watch);
      if (stopped !== undefined) return resolve({ exitCode: stopped });
      if (ended?.code === 0) return resolve({ exitCode: 0 });
      const why = ended?.timedOut ? `did not end within ${LIMIT_MS / 60_000} minutes` : "failed";
      const lines = errors.trim().split("\n").slice(-10);
      console.error(
        [`npm ci ${why}:`, ...lines.map((line) => `    ${line}`), `  → All of its output: ${log}`].join("\n"),
      );
      resolve({ exitCode: 1 });
    });
  });
}

async function main() {
  requireNode();
  if (isInstalled()) return;
  const unlock = await lock();
  try {
    if (isInstalled()) return;
    if (!npmAgrees()) {
      const begin = Date.now();
      const seconds = () => `${Math.round((Date.now() - begin) / 1000)} s`;
      const text = "Dependencies from the npm registry (npm ci)";
      const live = process.stdout.isTTY;
      if (live) process.stdout.write(`… ${text}`);
      else console.log(`… ${text}`);
      const timer = setInterval(
        () => (live ? process.stdout.write(`\r… ${text} [${seconds()}]`) : console.log(`… ${text} [${seconds()}]`)),
        live ? 1000 : 15_000,
      );
      const { exitCode } = await npmCi();
      clearInterval(timer);
      if (live) process.stdout.write("\r\x1b[K");
      if (exitCode !== 0) {
        process.exitCode = exitCode;
        return;
      }
      console.log(`✔ ${text} [${seconds()}]`);
    }
    fs.writeFileSync(STAMP, wanted());
  } finally {
    unlock();
  }
}

module.exports = { requireNode };

if (require.main === module) void main();
