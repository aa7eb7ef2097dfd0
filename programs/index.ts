/** The program of a stack: settings -> the program of its role -> outputs. */
import type { AuditSettings } from "../core/settings";
import type { AuditAccess } from "./archive";
import { explained } from "../components/errors";
import { readSettings } from "./stack";

/** @param open how the audit stack's program asks AWS. Default: by the SDK, with the provider's credentials. */
export async function run(open?: (settings: AuditSettings) => AuditAccess): Promise<object> {
  try {
    const settings = readSettings();
    // Loaded by role: a preview of a member stack does not wait for what only the archive needs.
    /* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */
    switch (settings.role) {
      case "audit":
        return await (require("./audit") as typeof import("./audit")).audit(settings, open);
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
