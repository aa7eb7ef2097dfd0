/** The values of configuration keys that are more than a text or a number. */
import { z } from "zod";
import { accountIdProblem } from "../accounts";
import { externalIdProblem, roleArnProblem, roleNameProblem, trailNameProblem } from "../names";

/** A string for which `problem` finds nothing wrong. */
export const checked = (problem: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message) context.addIssue({ code: "custom", message });
  });

export const accountId = z.unknown().transform((value, context) => {
  const message = accountIdProblem(value);
  if (message) context.addIssue({ code: "custom", message, input: value });
  return value as string;
});

export const tags = z.record(z.string().min(1).max(128), z.string().max(256));

export const memberSchema = z.strictObject({
  accountId,
  alias: checked((value) =>
    /^[a-z0-9][a-z0-9-]{0,62}$/.test(value)
      ? undefined
      : "an alias has 1 to 63 lower-case letters, digits and '-', and starts with a letter or a digit",
  ),
  homeRegion: z.string().optional(),
  trailName: checked(trailNameProblem).optional(),
  previousTrailName: checked(trailNameProblem).optional(),
  deployRoleArn: checked(roleArnProblem).optional(),
  deployProfile: z.string().min(1).optional(),
});

/** A member account as the audit stack's configuration declares it. */
export type Member = z.infer<typeof memberSchema>;

export const readerSchema = z.strictObject({
  name: checked(roleNameProblem).default("CloudTrailReadRole"),
  trustedAccounts: z.array(accountId).min(1),
  requireMfa: z.boolean().default(false),
  externalId: checked(externalIdProblem).optional(),
  accounts: z.array(z.string()).min(1).optional(),
});

/** A reader role as the audit stack's configuration declares it. */
export type DeclaredReader = z.infer<typeof readerSchema>;

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
export const eventSelector = z.strictObject({
  readWriteType: z.enum(["All", "ReadOnly", "WriteOnly"]).optional(),
  includeManagementEvents: z.boolean().optional(),
  excludeManagementEventSources: z.array(z.string()).optional(),
  dataResources: z.array(z.strictObject({ type: z.string(), values: z.array(z.string()).min(1) })).optional(),
});

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html */
export const advancedEventSelector = z.strictObject({
  name: z.string().optional(),
  fieldSelectors: z
    .array(
      z.strictObject({
        field: z.string(),
        equals: z.array(z.string()).optional(),
        notEquals: z.array(z.string()).optional(),
        startsWith: z.array(z.string()).optional(),
        notStartsWith: z.array(z.string()).optional(),
        endsWith: z.array(z.string()).optional(),
        notEndsWith: z.array(z.string()).optional(),
      }),
    )
    .min(1),
});
