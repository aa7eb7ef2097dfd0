// AWS's own `aws cloudtrail validate-logs`, from PyPI: what Crosstrail's verify is compared with, in answers and in time.

import path from "node:path";
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { run } from "../../automation/process";
import type { Context } from "../context";
import type { Step } from "../progress";
import { pythonEnvironment } from "../python";

export const AWS_CLI = "awscli==1.46.3";

/** The Python of an environment that has the AWS CLI: `python -m awscli` is `aws`. */
export function installAwsCli(context: Context, step: Step): Promise<string> {
  return pythonEnvironment(context, step, {
    name: "awscli",
    key: [AWS_CLI],
    packages: [AWS_CLI],
    what: "The installation of the AWS CLI (pip install awscli)",
  });
}

export interface Answer {
  code: number | null;
  text: string;
}

/** The `aws` program with these arguments, in a process of its own. */
export async function aws(python: string, args: string[], env: NodeJS.ProcessEnv, timeoutMs: number): Promise<Answer> {
  const { code, stdout, stderr } = await run(python, ["-m", "awscli", ...args], { timeoutMs, env });
  return { code, text: stdout + stderr };
}

/** The same program for one command after the other, so that Python and the AWS CLI are loaded only once. */
export class AwsShell {
  private readonly child;
  private readonly answers: ((answer: Answer) => void)[] = [];

  constructor(python: string, env: NodeJS.ProcessEnv, timeoutMs: number) {
    // It ends when its stdin does, and the system closes that however this process ends.
    this.child = spawn(python, [path.join(__dirname, "shell.py")], {
      env,
      timeout: timeoutMs,
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.child.stdout }).on("line", (line) =>
      this.answers.shift()?.(JSON.parse(line) as Answer),
    );
    this.child.once("close", (code) => {
      for (const answer of this.answers.splice(0)) answer({ code: null, text: `The AWS CLI has ended (${code}).` });
    });
  }

  run(args: string[]): Promise<Answer> {
    return new Promise((resolve) => {
      this.answers.push(resolve);
      this.child.stdin.write(`${JSON.stringify(args)}\n`);
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin.end();
    await ended;
  }
}
