/** What came of the last run, for `--failed`; written as it goes, so that a killed run is known as well. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Action, Step } from "../../core/fleet";
import type { StackResult } from "./types";
import { Status } from "./types";

const folderName = ".crosstrail";

interface RunRecord {
  action: Action;
  /** By stack; "open" is what has not ended. */
  stacks: Record<string, Status | "open">;
}

export class LastRun {
  private readonly file: string;
  private record: RunRecord | undefined;

  constructor(
    private readonly folder: string,
    private readonly action: Action,
  ) {
    this.file = join(folder, folderName, `last-${action}.json`);
  }

  /** The stacks that have not succeeded in the last run of this kind; undefined when there was none. */
  failed(): string[] | undefined {
    try {
      const { stacks } = JSON.parse(readFileSync(this.file, "utf8")) as RunRecord;
      return Object.keys(stacks).filter((name) => stacks[name] !== Status.Succeeded);
    } catch {
      return undefined;
    }
  }

  begin(steps: Step[]): void {
    // A run of some stacks leaves what is known of the others.
    const before = this.failed() ?? [];
    this.record = {
      action: this.action,
      stacks: Object.fromEntries([...before, ...steps.map(({ stack }) => stack.name)].map((name) => [name, "open"])),
    };
    this.write();
  }

  finished({ stack, status }: StackResult): void {
    if (!this.record) return;
    this.record.stacks[stack] = status;
    this.write();
  }

  private write(): void {
    try {
      mkdirSync(join(this.folder, folderName), { recursive: true });
      writeFileSync(join(this.folder, folderName, ".gitignore"), "*\n");
      writeFileSync(this.file, JSON.stringify(this.record));
    } catch {
      // A folder that may only be read costs no more than --failed.
    }
  }
}
