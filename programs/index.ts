/** The program of a stack: settings -> the program of its role -> outputs. */
import { explained } from "../components/errors";
import { readSettings } from "./stack";

export async function run(): Promise<object> {
  try {
    const settings = readSettings();
    // Loaded by role: a preview of a member stack does not wait for what only the archive needs.
    /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
    switch (settings.role) {
      case "audit":
        return await (require("./audit") as typeof import("./audit")).audit(settings);
      case "member":
        return await (require("./member") as typeof import("./member")).member(settings);
      case "management":
        return await (require("./management") as typeof import("./management")).management(settings);
    }
    /* eslint-enable */
  } catch (error) {
    throw explained(error);
  }
}
