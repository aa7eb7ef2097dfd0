/** How components check and derive from arguments that may be outputs. */
import * as pulumi from "@pulumi/pulumi";
import { type Partition, partitionOf } from "../core/accounts";
import type { Finding } from "../core/findings";
import { UserError } from "../core/findings";
import type { AdvancedEventSelector, EventChoice, EventProblem, SelectorOwner } from "../core/events";
import { advancedProblems, eventProblems } from "../core/events";
import { pathText, sentence, valueAt } from "../core/issues";
import type { TrailIdentity } from "../core/names";
import { logPrefixProblem, parseTrailArn } from "../core/names";
import type { OrganizationGrant } from "../core/policies/organization";
import { explained, isRefused, refused } from "./errors";

/**
 * Applies `build` at once when every input is plain, so that a mistake is reported where it was made and a preview
 * shows the result; otherwise when the inputs are known.
 */
export function derive<Inputs extends object, Result>(
  inputs: Inputs,
  build: (values: pulumi.Unwrap<Inputs>) => Result,
): pulumi.Input<Result> {
  if (isPlain(inputs)) return buildOrExplain(() => build(inputs as pulumi.Unwrap<Inputs>));
  return pulumi.output(inputs).apply((values) => {
    // Its mistake has been reported.
    const wrong: unknown = Object.values(values as object).find(isRefused);
    return wrong === undefined ? buildOrRefuse(() => build(values)) : (wrong as Result);
  }) as pulumi.Output<Result>;
}

/** Runs `build`. A mistake that the user can fix becomes an error that Pulumi prints without a stack trace. */
export function buildOrExplain<Result>(build: () => Result): Result {
  try {
    return build();
  } catch (error) {
    throw explained(error);
  }
}

/** The same where an output has just become known. */
function buildOrRefuse<Result>(build: () => Result): Result | Promise<Result> {
  try {
    return build();
  } catch (error) {
    return refused(error) as Promise<Result>;
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

/** What inputs must be together, checked once all of those named are known and right by themselves. */
export type Together<Inputs> = [
  names: (keyof Inputs)[],
  /** @throws UserError with what is wrong. */
  check: (known: pulumi.Unwrap<Inputs>) => unknown,
];

/**
 * The inputs again, each one checked. Mistakes in plain ones are reported at once and all together, whatever else is still
 * unknown; an output is checked when it is known, and what is wrong then does not reach the resource. Of a list every element
 * is checked.
 */
export function checkedInputs<Inputs extends object>(
  component: string,
  inputs: Inputs,
  checks: { [Name in keyof Inputs]?: Check },
  ...together: Together<Inputs>[]
): Inputs {
  const findingsOf = (name: string, check: Check, value: unknown): Finding[] => {
    if (Array.isArray(value)) return value.flatMap((each, index) => findingsOf(`${name}[${index}]`, check, each));
    const known = plainPart(value);
    const problem = known === undefined ? undefined : check(known);
    if (problem === undefined) return [];
    return [
      {
        id: "component/input",
        severity: "error",
        subject: `${name} = ${JSON.stringify(known)}`,
        message: sentence(problem),
        remedy: `Correct this argument of ${component}.`,
      },
    ];
  };
  const requireNone = (findings: Finding[]) => {
    if (findings.length > 0) throw new UserError(headline(component), findings);
  };
  const entries = Object.entries(inputs) as [string, unknown][];
  const checkOf = (name: string): Check => checks[name as keyof Inputs] ?? (() => undefined);
  const problems = new Map(entries.map(([name, value]) => [name, findingsOf(name, checkOf(name), value)]));
  const isRight = (name: keyof Inputs) => isPlain(inputs[name]) && problems.get(name as string)?.length === 0;
  buildOrExplain(() =>
    requireAll(
      component,
      () => requireNone([...problems.values()].flat()),
      ...together
        .filter(([names]) => names.every(isRight))
        .map(
          ([, check]) =>
            () =>
              check(inputs as pulumi.Unwrap<Inputs>),
        ),
    ),
  );
  const gated = entries.map(([name, value]) => [
    name,
    isPlain(value)
      ? value
      : pulumi.output(value as pulumi.Input<string>).apply((known: unknown) =>
          buildOrRefuse(() => {
            requireNone(findingsOf(name, checkOf(name), known));
            return known;
          }),
        ),
  ]);
  return Object.fromEntries(gated) as Inputs;
}

const headline = (component: string) => `${component} cannot be created with these arguments.`;

/** Of a map what is known of it; undefined for what is not known at all. */
function plainPart(value: unknown): unknown {
  if (isPlain(value)) return value;
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return undefined;
  return Object.fromEntries(Object.entries(value as object).filter(([, each]) => isPlain(each)));
}

/** Makes all checks, and reports in one error what they find. */
function requireAll(component: string, ...checks: (() => unknown)[]): void {
  const errors = checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof UserError) return [error];
      throw error;
    }
  });
  const [first, ...others] = errors;
  if (first && others.length === 0) throw first;
  if (first)
    throw new UserError(
      headline(component),
      errors.flatMap(({ findings }) => findings),
    );
}

/**
 * The arguments that `checks` names, each one checked; `undefined` for one that needs no check. So an argument is named once in
 * its component, besides in its documentation.
 */
export function checkedArgs<Args extends object, Name extends keyof Args>(
  component: string,
  args: Args,
  checks: Record<Name, Check | undefined>,
  ...together: Together<Pick<Args, NoInfer<Name>>>[]
): Pick<Args, Name> {
  const names = Object.keys(checks) as Name[];
  const inputs = Object.fromEntries(names.map((name) => [name, args[name]])) as Pick<Args, Name>;
  return checkedInputs(component, inputs, checks as { [Each in keyof Pick<Args, Name>]?: Check }, ...together);
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

/** Says what is wrong with a Region's name. Regions that AWS opens later look like the known ones. */
export function regionNameProblem(region: string): string | undefined {
  return partitionOf(region) ? undefined : "a Region looks like eu-central-1";
}

/** A check of a whole number within limits. */
export function wholeNumber(least: number, most = Infinity): Check {
  const limits = most === Infinity ? `${least} or more` : `from ${least} to ${most}`;
  return (value) =>
    Number.isInteger(value) && value >= least && value <= most ? undefined : `a whole number is needed, ${limits}`;
}

/** Says what is wrong with the ARN of a managed policy. */
export function policyArnProblem(arn: string): string | undefined {
  if (/^arn:[a-z-]+:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/.test(arn)) return undefined;
  return "a managed policy's ARN looks like arn:aws:iam::<account>:policy/<name>";
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

/**
 * The same for a choice of which some is not known yet: for what is known, also among the elements of a list. Nothing that comes to be
 * known later makes it right.
 */
export function requireKnownEvents(
  component: string,
  choice: { [Name in keyof EventChoice]: pulumi.Input<unknown> },
): void {
  const places: Record<string, number[]> = {};
  const known = Object.entries(choice).map(([name, value]) => {
    if (!Array.isArray(value)) return [name, isPlain(value) ? value : undefined];
    places[name] = value.flatMap((each, index) => (isPlain(each) ? [index] : []));
    return [name, places[name].map((index) => value[index] as unknown)];
  });
  const problems = eventProblems(Object.fromEntries(known) as EventChoice).map(({ path, ...rest }) => {
    const [name, index, ...inside] = path;
    const place = typeof index === "number" ? places[name as string]?.[index] : index;
    return { ...rest, path: [name, place, ...inside].filter((each) => each !== undefined) };
  });
  requireNoProblems(component, choice as EventChoice, problems);
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
