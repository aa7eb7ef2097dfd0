/** Whether policies let CloudTrail deliver a trail's logs. */
import { compile } from "../evaluate/compile";
import { evaluate } from "../evaluate/evaluate";
import type { Decision, PolicyInput } from "../evaluate/types";
import type { TrailDelivery } from "../requests";
import { deliveryRequests, withNamed } from "../requests";

/** One request of a delivery, decided. */
export interface NamedDecision extends Decision {
  name: string;
  /** What the request is, for messages. */
  what: string;
}

/** Whether a trail's logs arrive. */
export interface Delivery {
  delivers: boolean;
  /** It does not for certain, and nothing refuses it for certain either: `reasons` say on what it depends. */
  undecided: boolean;
  bucket: NamedDecision[];
  key: NamedDecision[];
  /** Why not, one sentence per refused request; empty when it delivers. */
  reasons: string[];
}

/**
 * Whether a bucket policy and a key policy, for instance those read back from AWS, let CloudTrail deliver for a trail.
 * @param bucketPolicy The policy, or undefined when the bucket has none.
 * @param keyPolicy The policy of the key, or undefined when it has none or the trail has no key.
 */
export function whyNoDelivery(
  bucketPolicy: PolicyInput | undefined,
  keyPolicy: PolicyInput | undefined,
  trail: TrailDelivery,
): Delivery {
  // Compiled once, not once per request.
  const policies = {
    bucket: bucketPolicy === undefined ? undefined : compile(bucketPolicy, "bucket"),
    key: keyPolicy === undefined ? undefined : compile(keyPolicy, "key"),
  };
  const delivery: Delivery = { delivers: true, undecided: false, bucket: [], key: [], reasons: [] };
  const refused = new Set<string>();
  for (const { name, what, target, request } of deliveryRequests(withNamed(trail, [policies.bucket, policies.key]))) {
    // What refuses a request refuses its variants too, and is said once.
    if (plainerNames(name).some((each) => refused.has(each))) continue;
    const decision = { name, what, ...evaluate(request, { resourcePolicy: policies[target], resourceKind: target }) };
    delivery[target].push(decision);
    if (decision.allowed) continue;
    refused.add(name);
    delivery.reasons.push(
      plainerNames(name).every((each) => each === name)
        ? decision.explanation
        : `${decision.explanation} This is ${decision.what}.`,
    );
  }
  delivery.delivers = delivery.reasons.length === 0;
  const failed = [...delivery.bucket, ...delivery.key].filter(({ allowed }) => !allowed);
  delivery.undecided = failed.length > 0 && failed.every(({ reason }) => reason === "undecided");
  return delivery;
}

/** Names of the requests that this one is a variant of: without a key, of the home Region, or both. */
function plainerNames(name: string): string[] {
  const withoutVariant = (text: string) => text.replace(/-(with-key|arn-only|file|bucket)(?=[@:]|$)/, "");
  const atHome = name.replace(/@[^:]*/, "");
  return [withoutVariant(name), atHome, withoutVariant(atHome)];
}
