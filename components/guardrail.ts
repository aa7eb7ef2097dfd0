/** A policy of the organization, attached to accounts. */
import * as pulumi from "@pulumi/pulumi";
import { Policy, PolicyAttachment } from "@pulumi/aws/organizations";
import { accountIdProblem } from "../core/accounts";
import { controlPolicyLimit } from "../core/guardrails";
import { tagsProblem } from "../core/tags";
import { checkedInputs, oneOf } from "./inputs";

/** Arguments of {@link Guardrail}. */
export interface GuardrailArgs {
  /** Name of the policy in the organization, 1 to 128 characters. Changes in place. */
  policyName: pulumi.Input<string>;
  /** SERVICE_CONTROL_POLICY or RESOURCE_CONTROL_POLICY. The type must be enabled in the organization's root. A change replaces the policy. */
  type: pulumi.Input<string>;
  /** The policy as JSON, at most 5,120 characters. Changes in place. */
  content: pulumi.Input<string>;
  /** Accounts to attach it to: 12 digits each. */
  accountIds: pulumi.Input<string>[];
  /** What the policy is for, at most 512 characters. Changes in place. */
  description?: pulumi.Input<string>;
  /** Whether the policy is protected: it can then neither be removed from the stack nor destroyed. Default: true. */
  keep?: boolean;
  /** Tags of the policy. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * A service or resource control policy of the organization, attached to accounts. Its provider needs credentials of the management
 * account. `crosstrail guardrails` prints the policies that this is for.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html
 */
export class Guardrail extends pulumi.ComponentResource {
  /** ID of the policy: p-... */
  public readonly policyId: pulumi.Output<string>;

  constructor(name: string, args: GuardrailArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { policyName, type, content, accountIds, description, tags } = checkedInputs(
      "Guardrail",
      {
        policyName: args.policyName,
        type: args.type,
        content: args.content,
        accountIds: args.accountIds,
        description: args.description,
        tags: args.tags,
      },
      {
        policyName: lengthProblem(128),
        type: oneOf(["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]),
        content: lengthProblem(controlPolicyLimit),
        accountIds: accountIdProblem,
        description: lengthProblem(512),
        tags: tagsProblem,
      },
    );

    super("crosstrail:index:Guardrail", name, {}, opts);
    const keep = args.keep ?? true;

    const policy = new Policy(
      `${name}-policy`,
      { name: policyName, type, content, description, tags },
      { parent: this, protect: keep },
    );
    args.accountIds.forEach((accountId, index) => {
      new PolicyAttachment(
        // By its account, so that another account in the list leaves the others' attachments alone.
        typeof accountId === "string" ? `${name}-${accountId}` : `${name}-account-${index + 1}`,
        { policyId: policy.id, targetId: accountIds[index] as pulumi.Input<string> },
        { parent: this },
      );
    });

    this.policyId = policy.id;
    this.registerOutputs({ policyId: this.policyId });
  }
}

function lengthProblem(most: number): (value: string) => string | undefined {
  return (value) =>
    value.length >= 1 && value.length <= most
      ? undefined
      : `it must have 1 to ${most.toLocaleString("en")} characters, and has ${value.length}`;
}
