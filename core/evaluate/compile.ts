/**
 * Reads a policy document and prepares it for many requests. Whatever cannot be understood becomes a finding; nothing is
 * skipped in silence, and nothing that a document says can make this throw.
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 *          https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
 */
import type { Finding } from "../findings";
import type { Condition } from "./conditions";
import { compileCondition, operatorNames, readOperator, TextList } from "./conditions";
import { parseJson } from "./json";
import type { Part, Token } from "./pattern";
import { Glob, hasVariables, parseTemplate, ResourcePattern } from "./pattern";
import type { PrincipalProblem, PrincipalSet } from "./principals";
import { addPrincipal, emptyPrincipals } from "./principals";
import type { CompiledPolicyLike, PolicyFinding, PolicyInput, PolicyKind } from "./types";

/** An `Action` or `Resource` element, or its `Not` twin. */
export interface TextElement {
  not: boolean;
  shown: string[];
  list: TextList;
}

export interface PrincipalElement {
  not: boolean;
  set: PrincipalSet;
}

/** A statement, ready to be put to requests. */
export interface CompiledStatement {
  index: number;
  sid?: string;
  effect: "Allow" | "Deny";
  /** Absent in identity policies. */
  principal?: PrincipalElement;
  /** Absent when the statement has none: it then has no effect (KMS keys only). */
  action?: TextElement;
  /** Absent in trust policies of roles, where it stands for the role itself; for a key: the statement has no effect. */
  resource?: TextElement;
  conditions: Condition[];
}

/** A policy, ready to be put to requests. */
export interface CompiledPolicy extends CompiledPolicyLike {
  readonly statements: readonly CompiledStatement[];
  /** The findings for which nobody can decide by this policy. */
  readonly undecidable: readonly PolicyFinding[];
}

/** More findings than this help nobody; a hostile document must not fill the memory. Counted apart for each sort. */
const maximumFindings = 100;

/** Collects findings, with the subject's name. */
export class Findings {
  readonly list: PolicyFinding[] = [];
  private readonly counts = { fatal: 0, other: 0 };

  add(finding: Omit<PolicyFinding, "subject"> & { sid?: string }): void {
    // Apart, so that no number of warnings can hide that a policy cannot be decided by.
    const sort = finding.undecidable ? "fatal" : "other";
    if (++this.counts[sort] > maximumFindings) return;
    const { sid, ...rest } = finding;
    const subject = rest.statement === undefined ? "policy" : nameStatement(rest.statement, sid);
    this.list.push({ ...rest, subject });
  }
}

/** `statement 2 ("AllowWrite")` */
export function nameStatement(index: number, sid: string | undefined): string {
  return sid ? `statement ${index + 1} ("${sid.slice(0, 128)}")` : `statement ${index + 1}`;
}

const isCompiled = (policy: unknown): policy is CompiledPolicy =>
  typeof policy === "object" && policy !== null && (policy as CompiledPolicyLike).compiled === true;

/**
 * Prepares a policy. Put the result to {@link evaluate} in place of the document where many requests are put to one
 * policy.
 * @param kind What the policy is attached to.
 * @param name What explanations call a control policy, such as its file. Left out: its number.
 */
export function compile(policy: PolicyInput, kind: PolicyKind, name?: string): CompiledPolicy {
  if (isCompiled(policy) && policy.kind === kind) return policy;
  const findings = new Findings();
  const statements = isCompiled(policy) ? wrongKind(policy, kind, findings) : readDocument(policy, kind, findings);
  const undecidable = findings.list.filter((finding) => finding.undecidable);
  return {
    compiled: true,
    kind,
    ...(name !== undefined && { name }),
    findings: findings.list,
    undecidable,
    statements,
  };
}

function wrongKind(policy: CompiledPolicy, kind: PolicyKind, findings: Findings): CompiledStatement[] {
  findings.add({
    id: "policy/kind",
    severity: "error",
    message: `The policy was compiled for kind '${policy.kind}' but is used for '${kind}'.`,
    remedy: "Compile it for the kind it is attached to.",
    undecidable: true,
  });
  return [];
}

/** Own properties only: a document must not be able to name what every object inherits. */
function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What kind of JSON a value is; the value itself may be too large or too deep to show. */
function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
}

/** A document taken apart no further than its statements. */
export interface RawPolicy {
  statements: unknown[];
  /** True when policy variables mean something: they do since 2012-10-17, and the default is the older version. */
  variables: boolean;
}

/** Reads the outer part of a document; undefined when it has no statements to speak of. */
export function readRaw(policy: unknown, findings: Findings): RawPolicy | undefined {
  let document = policy;
  if (typeof policy === "string") {
    const parsed = parseJson(policy);
    if ("problem" in parsed) {
      const duplicate = parsed.problem === "duplicateKey";
      findings.add({
        id: duplicate ? "policy/duplicate-key" : "policy/json",
        severity: "error",
        message: duplicate
          ? `An object of the policy has the key "${parsed.detail.slice(0, 80)}" twice; only one of them would count.`
          : `The policy is not JSON: ${parsed.detail.slice(0, 200)}.`,
        remedy: duplicate ? "Merge them, or remove one." : "Provide a JSON document.",
        undecidable: true,
      });
      return undefined;
    }
    document = parsed.value;
  }
  const malformed = (id: Finding["id"], message: string, remedy: string): undefined => {
    findings.add({ id, severity: "error", message, remedy, undecidable: true });
    return undefined;
  };
  if (!isObject(document)) {
    return malformed(
      "policy/document",
      `A policy must be an object, but this is ${describe(document)}.`,
      "Provide an object.",
    );
  }
  for (const name of Object.keys(document)) {
    if (name === "Version" || name === "Id" || name === "Statement") continue;
    malformed(
      "policy/element",
      `A policy has no element "${name.slice(0, 80)}".`,
      "Its elements are Version, Id and Statement.",
    );
  }
  const version = own(document, "Version");
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    malformed(
      "policy/version",
      `The Version is ${describe(version)}.`,
      'Use "2012-10-17"; the only other version is "2008-10-17".',
    );
  }
  const statements = own(document, "Statement");
  if (statements === undefined) return malformed("policy/statement", "The policy has no Statement.", "Add one.");
  const list: unknown[] = Array.isArray(statements) ? statements : [statements];
  if (list.length === 0) return malformed("policy/statement", "The policy's list of statements is empty.", "Add one.");
  return { statements: list, variables: version === "2012-10-17" };
}

function readDocument(policy: unknown, kind: PolicyKind, findings: Findings): CompiledStatement[] {
  const raw = readRaw(policy, findings);
  if (raw === undefined) return [];
  const statements: CompiledStatement[] = [];
  for (const [index, each] of raw.statements.entries()) {
    const statement = new StatementReader(each, index, kind, raw.variables, findings).read();
    if (statement) statements.push(statement);
  }
  return statements;
}

const statementElements = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

const principalProblems: Record<PrincipalProblem, { id: Finding["id"]; text: string; remedy: string; fatal: boolean }> =
  {
    type: {
      id: "policy/principal",
      text: "is not a known type of principal",
      remedy: "The types are AWS, Service, Federated and CanonicalUser.",
      fatal: true,
    },
    aws: {
      id: "policy/principal",
      text: "is not an AWS principal; wildcards are not allowed within one",
      remedy: 'Use "*", an account id, or the whole ARN of a user, role, session or account root.',
      fatal: true,
    },
    service: {
      id: "policy/principal",
      text: "is not a service principal",
      remedy: "A service principal looks like cloudtrail.amazonaws.com.",
      fatal: true,
    },
    accountId: {
      id: "policy/principal-account",
      text: "names an account without 12 digits",
      remedy: "Write all 12 digits, including leading zeros.",
      fatal: true,
    },
    deleted: {
      id: "policy/principal-deleted",
      text: "is the unique ID of a deleted user or role: it matches nobody",
      remedy: "Remove it, or name the replacement.",
      fatal: false,
    },
    canonical: {
      id: "policy/principal-canonical",
      text: "is a canonical user id; which account it belongs to is not known here, so whether an account is meant cannot be decided",
      remedy: "Name the account by its id.",
      fatal: false,
    },
  };

/** Reads one statement. */
class StatementReader {
  private readonly sid: string | undefined;
  private broken = false;

  constructor(
    private readonly raw: unknown,
    private readonly index: number,
    private readonly kind: PolicyKind,
    private readonly variables: boolean,
    private readonly findings: Findings,
  ) {
    const sid = isObject(raw) ? own(raw, "Sid") : undefined;
    this.sid = typeof sid === "string" ? sid : undefined;
  }

  /** Notes that nobody can decide by this statement. */
  private refuse(id: Finding["id"], message: string, remedy: string): void {
    this.broken = true;
    this.findings.add({
      id,
      severity: "error",
      message,
      remedy,
      statement: this.index,
      sid: this.sid,
      undecidable: true,
    });
  }

  read(): CompiledStatement | undefined {
    const { raw } = this;
    if (!isObject(raw)) {
      this.refuse(
        "policy/statement",
        `A statement must be an object, but this is ${describe(raw)}.`,
        "Provide an object.",
      );
      return undefined;
    }
    for (const name of Object.keys(raw)) {
      if (statementElements.has(name) || raw[name] === undefined) continue;
      this.refuse(
        "policy/element",
        `A statement has no element "${name.slice(0, 80)}".`,
        `The elements are ${[...statementElements].join(", ")}; letter case matters.`,
      );
    }
    const sid = own(raw, "Sid");
    if (sid !== undefined && typeof sid !== "string") {
      this.refuse("policy/sid", `The Sid is ${describe(sid)}.`, "A Sid must be a string.");
    }
    const effect = own(raw, "Effect");
    if (effect !== "Allow" && effect !== "Deny") {
      this.refuse(
        "policy/effect",
        `The Effect is ${describe(effect)}.`,
        'It must be "Allow" or "Deny", in exactly this letter case.',
      );
    }
    const principal = this.readPrincipal(raw);
    const action = this.readTexts(raw, "Action");
    const resource = this.readTexts(raw, "Resource");
    const conditions = this.readConditions(raw);
    if (this.kind === "rcp") this.checkResourceControl(raw);
    if (this.broken) return undefined;
    return {
      index: this.index,
      ...(this.sid === undefined ? {} : { sid: this.sid }),
      effect: effect as "Allow" | "Deny",
      ...(principal ? { principal } : {}),
      ...(action ? { action } : {}),
      ...(resource ? { resource } : {}),
      conditions,
    };
  }

  /**
   * What a resource control policy cannot have. Only RCPFullAWSAccess allows, and it allows everything.
   * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
   */
  private checkResourceControl(raw: Record<string, unknown>): void {
    const isAll = (name: string) => [own(raw, name)].flat().includes("*");
    const isFullAccess = isAll("Action") && isAll("Resource") && own(raw, "Condition") === undefined;
    if (own(raw, "Effect") === "Allow" && !isFullAccess) {
      const message = "A resource control policy can only deny; only AWS's own RCPFullAWSAccess can allow.";
      this.refuse("policy/rcp", message, 'Use "Effect": "Deny", or move the statement to the policy of the resource.');
    }
    if (own(raw, "NotPrincipal") !== undefined || own(raw, "NotAction") !== undefined) {
      const message = "A resource control policy cannot have NotPrincipal or NotAction.";
      this.refuse("policy/rcp", message, 'Use "Principal": "*" with conditions, and name the actions.');
    }
    const principal = own(raw, "Principal");
    if (principal !== undefined && principal !== "*" && !(isObject(principal) && own(principal, "AWS") === "*")) {
      const message = `The Principal of a resource control policy must be "*", but this is ${describe(principal)}.`;
      this.refuse("policy/rcp", message, 'Use "Principal": "*", and name principals in the conditions.');
    }
  }

  /** The element or its `Not` twin; they exclude each other. */
  private either(
    raw: Record<string, unknown>,
    name: string,
  ): { name: string; value: unknown; not: boolean } | undefined {
    const plain = own(raw, name);
    const negated = own(raw, `Not${name}`);
    if (plain !== undefined && negated !== undefined) {
      this.refuse("policy/element", `The statement has both ${name} and Not${name}.`, "Keep one of them.");
    }
    if (plain !== undefined) return { name, value: plain, not: false };
    return negated === undefined ? undefined : { name: `Not${name}`, value: negated, not: true };
  }

  private readPrincipal(raw: Record<string, unknown>): PrincipalElement | undefined {
    const element = this.either(raw, "Principal");
    if (this.kind === "identity" || this.kind === "scp") {
      if (element) {
        this.refuse(
          "policy/principal-in-identity",
          this.kind === "scp"
            ? `A service control policy cannot have ${element.name}: it applies to the accounts that it is attached to.`
            : `An identity policy has no ${element.name}: its principal is the identity it is attached to.`,
          "Remove it.",
        );
      }
      return undefined;
    }
    if (!element) {
      this.refuse(
        "policy/principal-missing",
        "A statement of a resource policy must have a principal.",
        'Add a Principal, such as {"Service": "cloudtrail.amazonaws.com"}.',
      );
      return undefined;
    }
    if (element.not && this.kind === "role") {
      this.refuse("policy/not-principal", "A role's trust policy cannot have NotPrincipal.", "Name the principals.");
    }
    const set = emptyPrincipals();
    if (element.value === "*") {
      set.everyone = true;
      set.shown.push("*");
    } else if (isObject(element.value)) {
      const entries = Object.entries(element.value);
      if (entries.length === 0) this.refuse("policy/principal", `${element.name} is empty.`, "Name a principal.");
      for (const [type, value] of entries) this.readPrincipals(set, element.name, type, value);
    } else {
      this.refuse(
        "policy/principal",
        `${element.name} is ${describe(element.value)}.`,
        'It must be "*" or an object such as {"AWS": "111111111111"}.',
      );
    }
    return { not: element.not, set };
  }

  private readPrincipals(set: PrincipalSet, element: string, type: string, value: unknown): void {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (values.length === 0) this.refuse("policy/principal", `${element}.${type} is empty.`, "Name a principal.");
    for (const each of values) {
      if (typeof each !== "string") {
        this.refuse("policy/principal", `${element}.${type} has ${describe(each)}.`, "A principal must be a string.");
        continue;
      }
      const problem = addPrincipal(set, type, each);
      if (problem === undefined) continue;
      const { id, text, remedy, fatal } = principalProblems[problem];
      const message = `${element} "${type.slice(0, 40)}": "${each.slice(0, 128)}" ${text}.`;
      if (fatal) this.refuse(id, message, remedy);
      else this.findings.add({ id, severity: "warning", message, remedy, statement: this.index, sid: this.sid });
    }
  }

  private readTexts(raw: Record<string, unknown>, name: "Action" | "Resource"): TextElement | undefined {
    const element = this.either(raw, name);
    if (!element) {
      this.missing(name);
      return undefined;
    }
    if (name === "Resource" && this.kind === "role") {
      this.refuse(
        "policy/resource",
        "A role's trust policy cannot have a Resource: the resource is the role itself.",
        "Remove it.",
      );
    }
    const values: unknown[] = Array.isArray(element.value) ? element.value : [element.value];
    if (values.length === 0) {
      const id = name === "Action" ? "policy/action" : "policy/resource";
      this.refuse(id, `${element.name} is an empty list.`, "Name at least one.");
    }
    const shown: string[] = [];
    const templates: Part[][] = [];
    for (const value of values) {
      const parts = name === "Action" ? this.readAction(element.name, value) : this.readResource(element.name, value);
      if (parts === undefined) continue;
      shown.push(value as string);
      templates.push(parts);
    }
    const list = new TextList(templates, (tokens) =>
      name === "Action" ? new Glob(tokens) : new ResourcePattern(tokens),
    );
    return { not: element.not, shown, list };
  }

  /**
   * KMS takes statements without Action or Resource and ignores them. Others refuse them.
   * Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
   */
  private missing(name: "Action" | "Resource"): void {
    if (name === "Resource" && this.kind === "role") return;
    if (this.kind === "key") {
      this.findings.add({
        id: "policy/no-effect",
        severity: "warning",
        message: `The statement has no ${name}. KMS accepts it, but it has no effect.`,
        remedy: name === "Resource" ? 'Add "Resource": "*", which means the key itself.' : "Add an Action.",
        statement: this.index,
        sid: this.sid,
      });
      return;
    }
    const message = `The statement has no ${name}.`;
    if (name === "Action") this.refuse("policy/action-missing", message, "Add an Action or NotAction.");
    else this.refuse("policy/resource-missing", message, "Add a Resource or NotResource.");
  }

  private readAction(element: string, value: unknown): Part[] | undefined {
    if (typeof value !== "string" || !(value === "*" || /^[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+$/.test(value))) {
      this.refuse(
        "policy/action",
        `${element} has ${describe(value)}.`,
        'An action must be "*" or look like "s3:PutObject"; it can contain wildcards.',
      );
      return undefined;
    }
    // Actions have no letter case.
    return parseTemplate(value.toLowerCase(), { wildcards: true, variables: false }).parts;
  }

  private readResource(element: string, value: unknown): Part[] | undefined {
    if (typeof value !== "string" || !(value === "*" || value.startsWith("arn:"))) {
      this.refuse("policy/resource", `${element} has ${describe(value)}.`, 'A resource must be "*" or an ARN.');
      return undefined;
    }
    const template = parseTemplate(value, { wildcards: true, variables: this.variables });
    if (template.problem !== undefined) {
      this.refuse(
        "policy/variable",
        `${element}: ${template.problem}.`,
        'Replace the placeholder, or write "${$}{" for the literal characters.',
      );
      return undefined;
    }
    if (!hasVariables(template.parts) && new ResourcePattern(template.parts as Token[]).malformed) {
      this.refuse(
        "policy/resource",
        `${element} has the incomplete ARN ${describe(value)}.`,
        "Write all six parts of the ARN.",
      );
    }
    return template.parts;
  }

  private readConditions(raw: Record<string, unknown>): Condition[] {
    const block = own(raw, "Condition");
    if (block === undefined) return [];
    if (!isObject(block)) {
      this.refuse("policy/condition", `Condition is ${describe(block)}.`, "It must be an object of operators.");
      return [];
    }
    const conditions: Condition[] = [];
    for (const [operator, keys] of Object.entries(block)) {
      if (readOperator(operator) === undefined) {
        this.refuse(
          "policy/operator",
          `"${operator.slice(0, 80)}" is not a condition operator.`,
          `The operators are ${operatorNames.join(", ")}; letter case matters. All except Null can have the prefix ` +
            "ForAnyValue: or ForAllValues: and the suffix IfExists.",
        );
      } else if (!isObject(keys)) {
        this.refuse("policy/condition", `${operator} is ${describe(keys)}.`, "It must be an object of condition keys.");
      } else {
        const seen = new Set<string>();
        for (const [key, values] of Object.entries(keys)) {
          if (seen.has(key.toLowerCase())) {
            this.refuse(
              "policy/duplicate-key",
              `${operator} has the key "${key.slice(0, 80)}" twice, in different letter case; keys are not case-sensitive.`,
              "Merge them.",
            );
          }
          seen.add(key.toLowerCase());
          this.readCondition(conditions, operator, key, values);
        }
      }
    }
    return conditions;
  }

  private readCondition(conditions: Condition[], operator: string, key: string, given: unknown): void {
    const use = readOperator(operator);
    if (use === undefined) return;
    if (!/^[^:\s]+:\S/.test(key)) {
      this.refuse(
        "policy/condition-key",
        `${operator}: "${key.slice(0, 80)}" is not a valid condition key.`,
        "A condition key looks like aws:SourceArn.",
      );
      return;
    }
    const values: unknown[] = Array.isArray(given) ? given : [given];
    const texts: string[] = [];
    for (const value of values) {
      // JSON's true and 12 mean the texts "true" and "12".
      if (typeof value === "string" || typeof value === "boolean" || typeof value === "number")
        texts.push(String(value));
      else {
        this.refuse(
          "policy/condition-value",
          `${operator} ${key} has ${describe(value)}.`,
          "A value must be a string.",
        );
        return;
      }
    }
    const compiled = compileCondition(operator, use, key, texts, this.variables);
    if ("condition" in compiled) conditions.push(compiled.condition);
    else if (compiled.what === "variable") {
      this.refuse(
        "policy/variable",
        `${operator} ${key}: ${compiled.problem}.`,
        'Replace the placeholder, or write "${$}{" for the literal characters.',
      );
    } else {
      this.refuse(
        "policy/condition-value",
        `${operator} ${key}: ${compiled.problem}.`,
        "Correct the value, or use an operator for its type. Policy variables work only with string and ARN operators.",
      );
    }
  }
}
