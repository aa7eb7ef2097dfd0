/** Warnings of a program: findings, shown as every other finding is. */
import * as pulumi from "@pulumi/pulumi";
import type { Finding } from "../core/findings";
import { formatFinding } from "../core/findings";

/** Shows a warning of this stack, with its id and what to do. */
export async function warn(finding: Omit<Finding, "severity">): Promise<void> {
  await pulumi.log.warn(formatFinding({ ...finding, severity: "warning" }).trimStart());
}
