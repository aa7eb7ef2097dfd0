/** The program of a stack: settings -> the program of its role -> outputs. */
import { explained } from "../components/errors";
import { readSettings } from "./stack";

export async function run(): Promise<object> {
  try {
    const settings = readSettings();
    // Loaded by role: a preview of a member stack does not wait for what only the archive needs.
    /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
    return settings.role === "audit"
      ? await (require("./audit") as typeof import("./audit")).audit(settings)
      : await (require("./member") as typeof import("./member")).member(settings);
    /* eslint-enable */
  } catch (error) {
    throw explained(error);
  }
}
