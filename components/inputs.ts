import * as pulumi from "@pulumi/pulumi";
import type { Partition } from "../core/accounts";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import type { AdvancedEventSelector, EventChoice, EventProblem, SelectorOwner } from "../core/events";
import { advancedProblems, eventProblems } from "../core/events";
import { pathText, sentence, valueAt } from "../core/issues";
import type { TrailIdentity } from "../core/names";
import { logPrefixProblem, parseTrailArn } from "../core/names";
import type { OrganizationGrant } from "../core/policies/organization";
import { explained } from "./errors";

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

/** Runs `build`. A mistake that the user can fix becomes an error that Pulumi prints without a stack trace. */
export function buildOrExplain<Result>(build: () => Result): Result {
  try {
    return build();
  } catch (error) {
    throw explained(error);
  }
}

function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isPlain);
}

/** Says what is wrong with a value, or nothing. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each check knows the type of its own input
type Check = (value: any) => string | undefined;

/**
 * The inputs again, each one checked. Mistakes in plain ones are reported at once and all together; an output is checked
 * when it is known, and what is wrong then does not reach the resource. Of a list every element is checked.
 */
export function checkedInputs<Inputs extends object>(
  component: string,
  inputs: Inputs,
  checks: { [Name in keyof Inputs]?: Check },
): Inputs {
  const findingsOf = (name: string, check: Check, value: unknown): Finding[] => {
    if (Array.isArray(value)) return value.flatMap((each, index) => findingsOf(`${name}[${index}]`, check, each));
    const problem = value === undefined ? undefined : check(value as string);
    if (problem === undefined) return [];
    return [
      {
        id: "component/input",
        severity: "error",
        subject: `${name} = ${JSON.stringify(value)}`,
        message: sentence(problem),
        remedy: `Correct this argument of ${component}.`,
      },
    ];
  };
  const requireNone = (findings: Finding[]) => {
    if (findings.length > 0) throw new UserError(`${component} cannot be created with these arguments.`, findings);
  };
  const entries = Object.entries(inputs) as [string, unknown][];
  const checkOf = (name: string): Check => checks[name as keyof Inputs] ?? (() => undefined);
  buildOrExplain(() =>
    requireNone(entries.flatMap(([name, value]) => (isPlain(value) ? findingsOf(name, checkOf(name), value) : []))),
  );
  const gated = entries.map(([name, value]) => [
    name,
    isPlain(value)
      ? value
      : pulumi.output(value as pulumi.Input<string>).apply((known: unknown) => {
          buildOrExplain(() => requireNone(findingsOf(name, checkOf(name), known)));
          return known;
        }),
  ]);
  return Object.fromEntries(gated) as Inputs;
}

/**
 * The arguments that `checks` names, each one checked; `undefined` for one that needs no check. So an argument is named once in
 * its component, besides in its documentation.
 */
export function checkedArgs<Args extends object, Name extends keyof Args>(
  component: string,
  args: Args,
  checks: Record<Name, Check | undefined>,
): Pick<Args, Name> {
  const names = Object.keys(checks) as Name[];
  const inputs = Object.fromEntries(names.map((name) => [name, args[name]])) as Pick<Args, Name>;
  return checkedInputs(component, inputs, checks as { [Each in keyof Pick<Args, Name>]?: Check });
}

/** Lets "" through, and checks any other prefix. */
export function logPrefixOrNone(value: string): string | undefined {
  return value === "" ? undefined : logPrefixProblem(value);
}

/** Says what is wrong with a trail's ARN: a policy with this value would let nobody deliver. */
export function trailArnProblem(arn: string): string | undefined {
  if (parseTrailArn(arn)) return undefined;
  return "a trail ARN looks like arn:aws:cloudtrail:<home Region>:<account>:trail/<name>";
}

/** Says what is wrong with a value of a closed set. */
export function oneOf(allowed: readonly string[]): Check {
  return (value) => (allowed.includes(value) ? undefined : `allowed are ${allowed.join(", ")}`);
}

/** The trails behind ARNs that were checked; all of the archive's partition, because logs cannot cross partitions. */
export function trailsOf(arns: string[], partition: Partition): TrailIdentity[] {
  const trails = arns.map((arn) => parseTrailArn(arn) as TrailIdentity);
  const findings = trails.flatMap((trail, index): Finding[] =>
    trail.partition === partition
      ? []
      : [
          {
            id: "component/partition",
            severity: "error",
            subject: `trailArns[${index}] = ${JSON.stringify(arns[index])}`,
            message: `This trail is in partition ${trail.partition}; the archive is in ${partition}, and logs cannot cross partitions.`,
            remedy: "Set partition to that of the trails, or remove the trail.",
          },
        ],
  );
  if (findings.length > 0) throw new UserError("Not every trail can deliver to this archive.", findings);
  return trails;
}

/** The organization behind a component's arguments, or undefined when they name none. */
export function organizationGrant(
  args: { organizationId?: string; organizationTrailArns?: string[]; organizationAccounts?: string[] },
  partition: Partition,
): OrganizationGrant | undefined {
  const { organizationId: id, organizationTrailArns = [], organizationAccounts: accountIds = [] } = args;
  if (id !== undefined) return { id, trails: trailsOf(organizationTrailArns, partition), accountIds };
  if (organizationTrailArns.length === 0 && accountIds.length === 0) return undefined;
  throw new UserError("The organization's ID is missing.", [
    {
      id: "component/organization",
      severity: "error",
      subject: "organizationId is missing",
      message: "organizationTrailArns and organizationAccounts belong to an organization.",
      remedy: "Also set organizationId: o-..., from aws organizations describe-organization.",
    },
  ]);
}

/**
 * Makes sure that CloudTrail would take a choice of events.
 * @throws UserError with everything that is wrong with it.
 */
export function requireEvents(component: string, choice: EventChoice): void {
  requireNoProblems(component, choice, eventProblems(choice));
}

/** The same for advanced event selectors alone. */
export function requireSelectors(component: string, selectors: AdvancedEventSelector[], owner: SelectorOwner): void {
  requireNoProblems(component, { advancedEventSelectors: selectors }, advancedProblems(selectors, owner));
}

function requireNoProblems(component: string, choice: EventChoice, problems: EventProblem[]): void {
  const findings = problems.map(({ path, message, remedy }): Finding => {
    const value = valueAt(choice, path);
    return {
      id: "component/events",
      severity: "error",
      subject: `${pathText(path).slice(1)}${value === undefined ? "" : ` = ${JSON.stringify(value)}`}`,
      message: sentence(message),
      remedy: remedy ?? `Correct this argument of ${component}.`,
    };
  });
  if (findings.length > 0) throw new UserError(`${component} cannot record these events.`, findings);
}

/** The trails behind ARNs that were checked: at least one, and all of one account and Region. */
export function trailsOfAccount(arns: string[]): [TrailIdentity, ...TrailIdentity[]] {
  const trails = arns.map((arn) => parseTrailArn(arn) as TrailIdentity);
  const [first] = trails;
  const strangers = trails.filter(({ accountId, region }) => accountId !== first?.accountId || region !== first.region);
  if (first && strangers.length === 0) return trails as [TrailIdentity, ...TrailIdentity[]];
  throw new UserError("The trails cannot deliver here.", [
    {
      id: "component/trails",
      severity: "error",
      subject: `trailArns = ${JSON.stringify(arns)}`,
      message: first ? "They are not in one account and Region." : "The list is empty.",
      remedy: "Name a trail, or two of one account and Region while a trail is being renamed.",
    },
  ]);
}

/** The partition as given, or `aws`. */
export function partitionOrDefault(partition: string | undefined): Partition {
  return (partition ?? "aws") as Partition;
}

/** The first tags with the second ones beside them; undefined if both are empty. */
export function allTags(
  tags: pulumi.Input<{ [key: string]: pulumi.Input<string> }> | undefined,
  more: pulumi.Input<{ [key: string]: pulumi.Input<string> }> | undefined,
): pulumi.Input<{ [key: string]: pulumi.Input<string> }> | undefined {
  if (more === undefined) return tags;
  return pulumi.all([tags, more]).apply(([first, second]) => ({ ...first, ...second }));
}
