/** The small fleet that the policy tests are about, and the policies for it. */
import type { TrailIdentity } from "../../core/names";
import type { BucketPolicyInput } from "../../core/policies/bucket";
import { BucketPolicyForm, bucketPolicy } from "../../core/policies/bucket";
import type { PolicyDocument } from "../../core/policies/document";
import type { KeyPolicyInput } from "../../core/policies/key";
import { KeyPolicyForm, keyPolicy } from "../../core/policies/key";
import { auditAccountId, bucketName, trailOf } from "./fleet";

/** The forms that need no organization; the others have tests of their own. */
export const bucketForms = Object.values(BucketPolicyForm).filter((form) => form !== "organization");
export const keyForms = Object.values(KeyPolicyForm).filter((form) => form !== "organization");

export const payments = trailOf("222222222222");
export const web = trailOf("333333333333", { region: "eu-west-1", name: "web-trail" });
export const fleet = [web, payments];

/** Both members, where they may read their own logs. */
export const memberReaders = ["333333333333", "222222222222"];

export function bucketDocument(form?: BucketPolicyForm, other: Partial<BucketPolicyInput> = {}): PolicyDocument {
  return bucketPolicy({ partition: "aws", bucketName, trails: fleet, ...other }, form).document;
}

export function keyDocument(
  form?: KeyPolicyForm,
  trails: TrailIdentity[] = fleet,
  other: Partial<KeyPolicyInput> = {},
): PolicyDocument {
  return keyPolicy({ partition: "aws", auditAccountId, trails, ...other }, form).document;
}
