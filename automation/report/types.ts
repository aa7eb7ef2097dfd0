/** What a report is made from, and what it says. Both are plain data. */
import type { SimulatedFleet } from "../../core/simulate";
import type { Finding } from "../../core/findings";
import type { BucketPolicyForm } from "../../core/policies/bucket";
import type { KeyPolicyForm } from "../../core/policies/key";
import type { PolicyDiff } from "../../core/policies/diff";

/** A preview of the fleet; `FleetResult` of the embedding API is one, except `fleet`. */
export interface ReportInput {
  /** The fleet as the configuration declares it now. Left out: who gains and loses access is not told. */
  fleet?: SimulatedFleet;
  /** The forms that the configuration demands. */
  forms?: { bucket?: BucketPolicyForm; key?: KeyPolicyForm };
  /** Which of the archive's keys encrypts (crosstrail:keyGeneration). Left out: the newest one that changes. */
  keyGeneration?: number;
  stacks: PreviewedStack[];
  /** What concerns no single stack. */
  findings: Finding[];
}

export interface PreviewedStack {
  /** The stack's name; for a member the account's alias. */
  stack: string;
  /** `audit`, `management` or `member`. */
  kind: string;
  accountId: string;
  /** `succeeded`, or why there is no preview: `failed`, `skipped`, `cancelled`. */
  status: string;
  resources: PreviewedResource[];
  findings: Finding[];
  /** No engine looked at it, because nothing has changed since its last `up`. */
  notRun?: string;
}

export interface PreviewedResource {
  urn: string;
  type: string;
  name: string;
  /** Pulumi's word: create, update, delete, replace, create-replacement and so on. */
  op: string;
  diffs?: string[];
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}

/** The version of the report's JSON; it goes up when a script that reads it could break. */
export const reportVersion = 1;

export interface ReportData {
  schemaVersion: typeof reportVersion;
  summary: {
    stacks: number;
    /** Stacks with changes, without any, and those of which there is no preview. */
    changed: number;
    unchanged: number;
    /** Stacks that no engine looked at, because nothing has changed since their last `up`; in none of the other numbers. */
    notRun: number;
    failed: number;
    create: number;
    update: number;
    replace: number;
    delete: number;
  };
  accounts: AccountReport[];
  policies: PolicyChange[];
  access: AccessChange[];
  /** Why `access` tells nothing, if it does not. */
  accessUnknown?: string;
  costs: Cost[];
  /** Errors first. */
  findings: Finding[];
}

export interface AccountReport {
  stack: string;
  kind: string;
  accountId: string;
  status: string;
  changes: ResourceReport[];
  /** No engine looked at it; says why. */
  notRun?: string;
}

export const Op = { Create: "create", Update: "update", Replace: "replace", Delete: "delete" } as const;
export type Op = (typeof Op)[keyof typeof Op];

export interface ResourceReport {
  op: Op;
  type: string;
  name: string;
  /** What AWS calls it, where the inputs say so: a bucket's, trail's or role's name. */
  called?: string;
  /** Its policy differs: see `policies` of the report. */
  policy: boolean;
  /** What else differs; for an update and a replacement. */
  properties: PropertyChange[];
}

export interface PropertyChange {
  path: string;
  /** JSON; left out where there is none. */
  before?: string;
  after?: string;
}

export interface PolicyChange {
  stack: string;
  accountId: string;
  /** `Bucket policy`, `Trust policy of role SecurityReader`. */
  title: string;
  op: Op;
  /** Undefined: what it says is not known before it is deployed. */
  diff?: PolicyDiff;
}

export interface AccessChange {
  change: "gains" | "loses";
  /** What becomes possible or impossible. */
  what: string;
  /** The same in detail, where it is more than one thing. */
  parts?: string[];
  /** The accounts it is about. */
  who: { alias: string; accountId: string }[];
  /** They are all accounts of the fleet, at least three. */
  everywhere: boolean;
  /**
   * `intended`: as the configuration wants it. `notTied`: the policy form cannot prevent it. `wrong`: it should not be
   * so. `undecided`: afterwards it depends on what is not known, so it may become possible, or impossible.
   */
  verdict: "intended" | "notTied" | "wrong" | "undecided";
  note?: string;
}

/** Something that AWS bills, new with these changes. */
export interface Cost {
  title: string;
  text: string;
  source: string;
  who: { alias: string; accountId: string }[];
}
