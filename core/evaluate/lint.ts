/** Says what is wrong, risky or useless in a policy. */
import type { CompiledStatement } from "./compile";
import { compile, Findings, readRaw } from "./compile";
import type { Condition } from "./conditions";
import type { PolicyDocument, PolicyFinding, PolicyKind } from "./types";

/** What a policy is attached to. */
export interface LintOptions {
  kind: PolicyKind;
  /** The account that owns the resource. Left out, a key's is read from the statement that gives its account `kms:*`. */
  accountId?: string;
}

/**
 * Everything there is to say about a policy: what keeps it from being decided by (`undecidable`), what AWS refuses
 * (severity `error`), and what is probably a mistake (`warning`) or not needed (`info`). Never throws.
 */
export function lint(policy: PolicyDocument | string, options: LintOptions): PolicyFinding[] {
  const { statements, findings: found } = compile(policy, options.kind);
  const findings = new Findings();
  for (const finding of found) findings.add(finding);
  const raw = readRaw(policy, new Findings());
  if (raw === undefined) return findings.list;
  checkSids(raw.statements, options.kind, findings);
  checkRaw(raw.statements, raw.variables, findings);
  checkRepetition(statements, findings);
  const owner = options.accountId ?? keyOwner(statements, options.kind);
  for (const statement of statements) {
    for (const advice of advise(statement, options.kind, owner)) {
      findings.add({ ...advice, statement: statement.index, sid: statement.sid });
    }
  }
  return findings.list;
}

type Advice = Omit<PolicyFinding, "subject" | "statement">;

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const entries = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

/**
 * IAM takes letters and digits only and demands that Sids differ; S3 and KMS take spaces, and have taken duplicates.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
 */
function checkSids(statements: unknown[], kind: PolicyKind, findings: Findings): void {
  const strict = kind === "identity" || kind === "role";
  const seen = new Map<string, number>();
  for (const [index, statement] of statements.entries()) {
    const sid = property(statement, "Sid");
    if (typeof sid !== "string" || sid === "") continue;
    if (strict && !/^[A-Za-z0-9]*$/.test(sid)) {
      findings.add({
        id: "policy/sid",
        severity: "error",
        message: `IAM allows only letters and digits in a Sid; this is "${sid.slice(0, 80)}".`,
        remedy: `Write "${sid.replace(/[^A-Za-z0-9]/g, "").slice(0, 80)}".`,
        statement: index,
        sid,
      });
    }
    const first = seen.get(sid);
    if (first === undefined) seen.set(sid, index);
    else {
      findings.add({
        id: "policy/sid-duplicate",
        severity: strict ? "error" : "warning",
        message: `The Sid is already used by statement ${first + 1}.`,
        remedy: "Give each statement its own Sid; tools that merge or compare policies rely on it.",
        statement: index,
        sid,
      });
    }
  }
}

/** What shows in the JSON only. */
function checkRaw(statements: unknown[], variables: boolean, findings: Findings): void {
  for (const [index, statement] of statements.entries()) {
    const sid = property(statement, "Sid");
    const place = { statement: index, ...(typeof sid === "string" ? { sid } : {}) };
    const condition = property(statement, "Condition");
    const blocks = entries(condition);
    const emptyBlock = condition !== undefined && blocks.length === 0;
    const emptyPart = blocks.find(([, keys]) => entries(keys).length === 0);
    const emptyList = blocks
      .flatMap(([, keys]) => entries(keys))
      .find(([, list]) => Array.isArray(list) && list.length === 0);
    if (emptyBlock || emptyPart || emptyList) {
      const where = emptyList ? `The list of ${emptyList[0]}` : emptyPart ? emptyPart[0] : "Condition";
      findings.add({
        id: "policy/condition-empty",
        severity: "warning",
        message: `${where.slice(0, 80)} is empty: ${emptyList ? "nothing is compared" : "it restricts nothing"}.`,
        remedy: "Fill it in or remove it.",
        ...place,
      });
    }
    if (!variables && usesVariables(statement)) {
      findings.add({
        id: "policy/variable-version",
        severity: "warning",
        message:
          "The statement has a policy variable, but the policy's Version is not 2012-10-17, which treats it as ordinary text.",
        remedy: 'Set "Version": "2012-10-17".',
        ...place,
      });
    }
  }
}

function usesVariables(statement: unknown): boolean {
  const texts: unknown[] = [property(statement, "Resource"), property(statement, "NotResource")];
  for (const [, keys] of entries(property(statement, "Condition")))
    for (const [, values] of entries(keys)) texts.push(values);
  // Bounded repeats: a hostile text must not make the search quadratic.
  return texts.flat().some((text) => typeof text === "string" && /\$\{[A-Za-z0-9_.-]{1,64}:[^${}]{1,512}\}/.test(text));
}

function checkRepetition(statements: readonly CompiledStatement[], findings: Findings): void {
  const seen = new Map<string, CompiledStatement>();
  for (const statement of statements) {
    const conditions = statement.conditions.map((each) => [each.operator, each.lookupKey, [...each.wanted].sort()]);
    const element = (part: CompiledStatement["action"]): unknown => part && [part.not, [...part.shown].sort()];
    const same = JSON.stringify([
      statement.effect,
      statement.principal && [statement.principal.not, [...statement.principal.set.shown].sort()],
      element(statement.action),
      element(statement.resource),
      conditions.map((each) => JSON.stringify(each)).sort(),
    ]);
    const first = seen.get(same);
    if (first === undefined) seen.set(same, statement);
    else {
      findings.add({
        id: "policy/statement-duplicate",
        severity: "warning",
        message: `The statement is equivalent to statement ${first.index + 1}${first.sid ? ` ("${first.sid.slice(0, 80)}")` : ""}.`,
        remedy: "Remove it, or correct it.",
        statement: statement.index,
        sid: statement.sid,
      });
    }
  }
}

/** The account that a key policy gives `kms:*` to: by AWS's default policy, the one that owns the key. */
function keyOwner(statements: readonly CompiledStatement[], kind: PolicyKind): string | undefined {
  if (kind !== "key") return undefined;
  for (const { effect, principal, action } of statements) {
    if (effect !== "Allow" || principal?.not !== false || action?.not !== false) continue;
    if (!action.shown.some((each) => each === "*" || /^kms:\*$/i.test(each))) continue;
    const [account] = principal.set.accounts;
    if (account !== undefined && principal.set.accounts.size === 1) return account.slice(account.lastIndexOf(":") + 1);
  }
  return undefined;
}

/** True for a condition that a request without the key does not fulfill, and that asks for something. */
function demands(condition: Condition): boolean {
  if (condition.ifExists || condition.negated || condition.quantifier === "all" || condition.family === "null")
    return false;
  return condition.wanted.length > 0 && !condition.wanted.some((text) => /^\**$/.test(text));
}

const sourceKeys = /^(aws:source(arn|account|orgid|orgpaths)|kms:encryptioncontext:aws:cloudtrail:arn)$/;
const callerKeys =
  /^(aws:(principal(?!isawsservice$|type$)|source|userid$|username$)|kms:calleraccount$|s3:dataaccesspointaccount$)/;

function* advise(statement: CompiledStatement, kind: PolicyKind, owner: string | undefined): Generator<Advice> {
  const { effect, principal, conditions } = statement;
  const allow = effect === "Allow";
  if (allow && principal?.not) {
    yield {
      id: "policy/not-principal-allow",
      severity: "error",
      message: "Allow with NotPrincipal allows everyone else in the world, including callers without credentials.",
      remedy: "Name the principals. AWS no longer accepts NotPrincipal with Allow.",
    };
  }
  if (allow && principal && !principal.not && principal.set.everyone && !limitsCaller(conditions)) {
    yield {
      id: "policy/wildcard-principal",
      severity: "warning",
      message: 'The principal is "*" and no condition limits it: this means everyone in the world.',
      remedy: "Name the principals, or add a condition such as aws:PrincipalOrgID or aws:SourceArn.",
    };
  }
  if (allow && kind !== "role" && principal && !principal.not && principal.set.services.size > 0) {
    if (!conditions.some((each) => demands(each) && sourceKeys.test(each.lookupKey))) {
      yield confusedDeputy(statement);
    }
  }
  for (const condition of conditions) {
    yield* adviseCondition(condition, statement);
    yield* adviseAbsence(condition, statement, kind);
  }
  yield* adviseContradiction(statement);
  if (kind === "key" && allow) yield* adviseKey(statement, owner);
}

const limitsCaller = (conditions: Condition[]): boolean =>
  conditions.some((each) => demands(each) && callerKeys.test(each.lookupKey));

/** Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cross-service-confused-deputy-prevention.html */
function confusedDeputy(statement: CompiledStatement): Advice {
  const services = [...(statement.principal?.set.services ?? [])].join(", ");
  const anyAccount = statement.resource?.shown.some((text) => /AWSLogs\/\*$/.test(text)) ?? false;
  return {
    id: "policy/confused-deputy",
    severity: "warning",
    message:
      `${services} can do this on behalf of any account: no condition limits it.` +
      (anyAccount ? " With AWSLogs/* a stranger's trail can write here under any account's path." : ""),
    remedy:
      "Add aws:SourceArn with the ARNs of the trails, or aws:SourceAccount or aws:SourceOrgID. (The key of an event data " +
      "store cannot have these.)",
  };
}

const mfaPresent = "aws:multifactorauthpresent";

function* adviseCondition(condition: Condition, statement: CompiledStatement): Generator<Advice> {
  const allow = statement.effect === "Allow";
  const { operator, key, lookupKey, wanted } = condition;
  if (condition.family === "string" || condition.family === "ignoreCase") {
    // Bounded, as above.
    const star = wanted.find((text) => /[*?]/.test(text.replace(/\$\{[^${}]{1,512}\}/g, "")));
    if (star !== undefined) {
      yield {
        id: "policy/wildcard-in-equals",
        severity: "warning",
        message: `${operator} ${key}: this operator treats the wildcard in "${star.slice(0, 128)}" as an ordinary character.`,
        remedy: "Use StringLike or ArnLike (StringNotLike, ArnNotLike), or remove the wildcard.",
      };
    }
  }
  const noArn =
    condition.family === "arn"
      ? wanted.find((text) => text.split(":", 6).length < 6 && !text.includes("${"))
      : undefined;
  if (noArn !== undefined) {
    yield {
      id: "policy/arn-pattern",
      severity: "warning",
      message: `${operator} ${key}: "${noArn.slice(0, 128)}" is not an ARN of six parts, so it matches nothing.`,
      remedy:
        "Write all six parts, with a wildcard for each unknown part, such as arn:aws:cloudtrail:*:*:trail/*; or use StringLike.",
    };
  }
  if ((condition.family === "bool" || condition.family === "null") && wanted.length > 1) {
    yield {
      id: "policy/condition-both",
      severity: "warning",
      message: `${operator} ${key} has several values, one of which always matches.`,
      remedy: "Keep one.",
    };
  }
  if (allow && condition.ifExists && lookupKey.startsWith("aws:multifactorauth")) {
    yield {
      id: "policy/mfa-not-required",
      severity: "warning",
      message: `${operator} ${key} in an Allow does not require MFA: it also matches requests without the key, such as those made with access keys.`,
      remedy: `Use Bool in the Allow, or a Deny with BoolIfExists {"aws:MultiFactorAuthPresent": "false"}.`,
    };
  }
  if (!allow && lookupKey === mfaPresent && condition.family === "bool" && !condition.ifExists) {
    if (wanted.some((text) => text.toLowerCase() === "false")) {
      yield {
        id: "policy/mfa-deny-incomplete",
        severity: "warning",
        message: `${operator} ${key} in a Deny does not match requests without the key, such as those made with access keys.`,
        remedy: "Use BoolIfExists.",
      };
    }
  }
  if (allow && condition.quantifier === "all" && !demandsPresence(statement.conditions, lookupKey)) {
    yield {
      id: "policy/for-all-values-allow",
      severity: "warning",
      message: `${operator} ${key} in an Allow also matches requests without the key.`,
      remedy: `Add "Null": {"${key.slice(0, 80)}": "false"}.`,
    };
  }
}

/** Keys that AWS puts into every request: what holds without them is of no interest. */
const alwaysThere =
  /^(aws:(currenttime|epochtime|requestedregion|securetransport|viaawsservice|resourceaccount|principalaccount|principaltype|userid)|s3:(resourceaccount|tlsversion)|kms:calleraccount)$/;

/** Keys that say who asks, from where or for whom: an Allow is meant to be for those that have the right value. */
const limitingKeys =
  /^(aws:(principal|source|userid|username|vpc|resourceorg|calledvia)|kms:(calleraccount|viaservice|encryptioncontext)|s3:x-amz-acl$)/;

/**
 * What a condition does with a request that does not have the key, where a person would not expect it: each operator, with its
 * prefix and suffix, in an Allow and in a Deny. MFA has rules of its own above.
 *
 * | without the key | Allow | Deny |
 * |---|---|---|
 * | plain: fails | as meant | as meant, for what is denied by value |
 * | negated: holds | allows those without the key | denies those without the key, services too |
 * | `IfExists`: holds | allows those without the key | as meant |
 * | `ForAllValues`: holds | allows those without the key | denies those without the key |
 * | `ForAnyValue`: fails | as meant | spares those without the key |
 * | `ForAnyValue...IfExists` | AWS's pages contradict each other | the same |
 */
function* adviseAbsence(condition: Condition, statement: CompiledStatement, kind: PolicyKind): Generator<Advice> {
  const { operator, key, lookupKey, quantifier, ifExists, negated } = condition;
  if (condition.family === "null" || alwaysThere.test(lookupKey) || lookupKey.startsWith("aws:multifactorauth")) return;
  if (condition.wanted.length === 0 || demandsPresence(statement.conditions, lookupKey)) return;
  const allow = statement.effect === "Allow";
  const present = `Add "Null": {"${key.slice(0, 80)}": "false"}`;
  if (quantifier === "any" && ifExists) {
    yield {
      id: "policy/for-any-value-if-exists",
      severity: "warning",
      message: `${operator} ${key}: AWS's pages contradict each other about requests without the key, so what holds for them cannot be decided.`,
      remedy: "Leave out IfExists, and say with Null what is meant for requests without the key.",
    };
  } else if (quantifier === "any" && !allow) {
    yield {
      id: "policy/for-any-value-deny",
      severity: negated ? "warning" : "info",
      message: `${operator} ${key} in a Deny never holds for requests without the key: they are not denied.`,
      remedy: `To deny them too, use ForAllValues, which also holds without the key, or a Deny of its own with "Null": {"${key.slice(0, 80)}": "true"}.`,
    };
  } else if (quantifier === "all" && !allow) {
    yield {
      id: "policy/for-all-values-deny",
      severity: "info",
      message: `${operator} ${key} in a Deny also holds for requests without the key, those of AWS services among them.`,
      remedy: `${present}, or spare services with aws:PrincipalIsAWSService, unless this is meant.`,
    };
  } else if (
    quantifier === "one" &&
    allow &&
    kind !== "role" &&
    limitingKeys.test(lookupKey) &&
    (ifExists || negated)
  ) {
    yield {
      id: ifExists ? "policy/if-exists-allow" : "policy/negated-allow",
      severity: "warning",
      message: `${operator} ${key} in an Allow also holds for requests without the key.`,
      remedy: ifExists ? "Leave out IfExists, unless this is meant." : `${present}, or name what is allowed.`,
    };
  } else if (quantifier === "one" && !allow && negated && !ifExists && kind !== "scp" && limitingKeys.test(lookupKey)) {
    if (statement.conditions.some((each) => /^aws:(principalisawsservice|principalservicename)$/.test(each.lookupKey)))
      return;
    yield {
      id: "policy/negated-deny",
      severity: "info",
      message: `${operator} ${key} in a Deny also holds for requests without the key, those of AWS services among them.`,
      remedy: `Spare services with aws:PrincipalIsAWSService, unless this is meant.`,
    };
  }
}

/** A statement whose conditions want a key to be absent and to have a value never applies. */
function* adviseContradiction({ conditions }: CompiledStatement): Generator<Advice> {
  for (const { lookupKey, key, wantsAbsent } of conditions) {
    if (wantsAbsent === undefined || wantsAbsent.length === 0 || wantsAbsent.includes(false)) continue;
    const other = conditions.find(
      (each) =>
        each.lookupKey === lookupKey &&
        each.family !== "null" &&
        !each.ifExists &&
        each.quantifier !== "all" &&
        (each.quantifier === "any" || each.negated !== true),
    );
    if (other === undefined) continue;
    yield {
      id: "policy/condition-contradiction",
      severity: "warning",
      message: `Null wants ${key} to be absent, and ${other.operator} wants it to have a value: the statement never applies.`,
      remedy: 'Write "false" for Null, or drop one of the two.',
    };
  }
}

const demandsPresence = (conditions: Condition[], lookupKey: string): boolean =>
  conditions.some((each) => each.lookupKey === lookupKey && each.wantsAbsent?.every((absent) => !absent));

function* adviseKey(statement: CompiledStatement, owner: string | undefined): Generator<Advice> {
  const { sid, conditions, action } = statement;
  const callerAccount = conditions.find((each) => each.lookupKey === "kms:calleraccount" && demands(each));
  if (
    owner !== undefined &&
    callerAccount?.wanted.every((account) => account === owner) &&
    /cross.?account/i.test(sid ?? "")
  ) {
    yield {
      id: "policy/cross-account-own",
      severity: "warning",
      message: `The statement's name suggests other accounts, but kms:CallerAccount is ${owner}, the key's own account: it grants nothing across accounts.`,
      remedy:
        "Name the other accounts in kms:CallerAccount, and their trails in kms:EncryptionContext:aws:cloudtrail:arn.",
    };
  }
  const viaEc2 = conditions.some(
    (each) => each.lookupKey === "kms:viaservice" && each.wanted.some((text) => /^ec2\./.test(text)),
  );
  if (viaEc2 && !action?.not && action?.shown.every((each) => /^kms:CreateAlias$/i.test(each))) {
    yield {
      id: "policy/alias-via-ec2",
      severity: "info",
      message:
        "The statement lets the console's former setup page create an alias. It is not needed when a program manages the alias.",
      remedy: "Remove it.",
    };
  }
}
