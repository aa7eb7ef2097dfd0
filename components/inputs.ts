import * as pulumi from "@pulumi/pulumi";
import type { Partition } from "../core/accounts";
import { UserError } from "../core/findings";
import type { TrailIdentity } from "../core/names";
import { parseTrailArn } from "../core/names";

/**
 * Applies `build` at once when every input is plain, so that a mistake is reported where it was made and a preview
 * shows the result; otherwise when the inputs are known.
 */
export function derive<Inputs extends object, Result>(
  inputs: Inputs,
  build: (values: pulumi.Unwrap<Inputs>) => Result,
): pulumi.Input<Result> {
  if (isPlain(inputs)) return buildOrExplain(() => build(inputs as pulumi.Unwrap<Inputs>));
  return pulumi.output(inputs).apply((values) => buildOrExplain(() => build(values))) as pulumi.Output<Result>;
}

/** Runs `build`; what the user can mend becomes an error that Pulumi prints without a stack trace. */
export function buildOrExplain<Result>(build: () => Result): Result {
  try {
    return build();
  } catch (error) {
    throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
  }
}

function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isPlain);
}

/** The trails behind ARNs; an ARN that is none is reported, not passed on into a policy. */
export function trailsOf(arns: string[]): TrailIdentity[] {
  const wrong = arns.filter((arn) => parseTrailArn(arn) === undefined);
  if (wrong.length > 0) {
    throw new UserError(
      "Not every trailArn is the ARN of a trail.",
      wrong.map((arn) => ({
        id: "component/trail-arn",
        severity: "error",
        subject: `trailArns: ${JSON.stringify(arn)}`,
        message: "A trail ARN looks like arn:aws:cloudtrail:<home region>:<account>:trail/<name>.",
        remedy: "Correct it; a policy with this value would let nobody deliver.",
      })),
    );
  }
  return arns.map((arn) => parseTrailArn(arn) as TrailIdentity);
}

/** The partition as given, or `aws`. */
export function partitionOrDefault(partition: string | undefined): Partition {
  return (partition ?? "aws") as Partition;
}
