/** What a program knows of the stack it runs in: its configuration, its account, and what it deployed last time. */
import * as pulumi from "@pulumi/pulumi";
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity";
import type { Contract } from "../core/contract";
import type { EventChoice } from "../core/events";
import { advancedSelectors, eventNotices } from "../core/events";
import { UserError } from "../core/findings";
import { archiveBuckets, policyArn } from "../core/names";
import type { Settings } from "../core/settings";
import { parseStackConfig } from "../core/settings";
import { warn } from "./warning";

/** Reads and checks the stack's configuration. */
export function readSettings(): Settings {
  const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  const place = { region, project: pulumi.getProject(), file: stackFile() };
  return parseStackConfig(pulumi.getStack(), pulumi.runtime.allConfig(), place);
}

/** Set by crosstrail for a stack without a file of its own: the file from which its configuration follows. */
export const stackFileVariable = "CROSSTRAIL_STACK_FILE";

/** The file that the stack's configuration is corrected in. */
export function stackFile(): string {
  return process.env[stackFileVariable] || `Pulumi.${pulumi.getStack()}.yaml`;
}

/**
 * Makes sure that the credentials belong to the account the stack is for, before anything is created with them.
 * @returns the ARN of who deploys.
 * @throws UserError that says which account was expected and which one it is.
 */
export async function requireAccount(accountId: string, key: string): Promise<string> {
  const subject = `crosstrail:${key} = "${accountId}"`;
  const remedy = `Set aws:profile, or aws:assumeRoles with a role of account ${accountId}, in ${stackFile()}.`;
  const caller = await getCallerIdentity().catch(() => {
    // The engine has already shown the provider's own words; what the program gets is an error without any.
    throw new UserError("The AWS provider did not accept the credentials. Nothing was changed.", [
      {
        id: "stack/no-credentials",
        severity: "error",
        subject,
        message: `This stack is for account ${accountId}. The provider's error next to this one says what it found instead.`,
        remedy,
      },
    ]);
  });
  if (caller.accountId !== accountId) {
    throw new UserError("The credentials belong to another account. Nothing was changed.", [
      {
        id: "stack/wrong-account",
        severity: "error",
        subject,
        message: `This stack's account is ${accountId}; the credentials are ${caller.arn} in account ${caller.accountId}.`,
        remedy,
      },
    ]);
  }
  if (!pulumi.runtime.allConfig()["aws:allowedAccountIds"]) {
    await warn({
      id: "stack/any-account",
      subject: "aws:allowedAccountIds is not set",
      message:
        "pulumi refresh with another account's credentials would find nothing, and remove the stack's resources from its state.",
      remedy: `Add to ${stackFile()}:\n  aws:allowedAccountIds: ["${accountId}"]`,
    });
  }
  return caller.arn;
}

/** Says what a trail will leave out that an investigator may ask for. */
export async function warnOfEvents(
  choice: EventChoice,
  archive: Pick<Contract, "partition" | "bucketName" | "otherBucketNames">,
): Promise<void> {
  const buckets = archiveBuckets(archive);
  for (const notice of eventNotices(advancedSelectors(choice, buckets), buckets)) {
    await warn(notice);
  }
}

/** The outputs of this very stack as it was deployed last; empty before the first deployment. */
export async function deployedOutputs(): Promise<Record<string, unknown>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  // A StackReference to the stack itself would say the same, but leave a resource in the state of every stack.
  const result = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  return (result as { outputs?: Record<string, unknown> }).outputs ?? {};
}

/** The full name of a stack: `stack` alone means one of this organization and project. */
export function fullStackName(name: string): string {
  return name.includes("/") ? name : `${pulumi.getOrganization()}/${pulumi.getProject()}/${name}`;
}

/** ARN of the permissions boundary of the roles that the stack creates in this account, if it has one. */
export function boundaryArn(
  { partition, permissionsBoundary }: Pick<Settings, "partition" | "permissionsBoundary">,
  accountId: string,
): string | undefined {
  return permissionsBoundary === "" ? undefined : policyArn(partition, accountId, permissionsBoundary);
}
