import assert from "node:assert/strict";
import type { Contract } from "../../../core/contract";
import { trailArn } from "../../../core/names";
import type { ArchiveAsIs, TrailAsIs } from "../../../core/simulate";
import { arrivalOf, builtPolicies, deliveryFindings, fleetOfContract } from "../../../core/simulate";
import { keyPolicyIn } from "../../../core/policies/key";
import { bucketName, contract, keyArn, trailOf } from "../../support/fleet";

const formerKey = "arn:aws:kms:us-east-1:111111111111:key/99999999-12ab-34cd-56ef-1234567890ab";
const payments = trailArn(trailOf("222222222222"));

/** The policies that the contract's archive has; the former key only decrypts. */
const archiveOf = (of: Contract): ArchiveAsIs => {
  const fleet = fleetOfContract(of);
  const { bucket, key } = builtPolicies(fleet);
  const former = keyPolicyIn("trailList", { ...fleet, trails: [], mayEncrypt: false });
  return {
    bucketName,
    auditAccountId: of.auditAccountId,
    bucket,
    keys: { [of.keyArn]: key, [formerKey]: former },
    bucketKey: false,
  };
};
const asIs = (more: Partial<TrailAsIs> = {}): TrailAsIs => ({
  trailArn: payments,
  bucketName,
  logPrefix: "",
  keyArn,
  isLogging: true,
  isOrganizationTrail: false,
  ...more,
});
const found = (trail: TrailAsIs, of = contract()) =>
  deliveryFindings(trail, of, archiveOf(of), "payments").map(({ id }) => id);

describe("core/simulate: a trail as AWS has it", () => {
  it("one that delivers as the contract says is as intended", () => {
    assert.deepEqual(found(asIs()), []);
    assert.deepEqual(found(asIs({ logPrefix: "logs" }), contract({ logPrefix: "logs" })), []);
  });

  it("one that has not followed a new prefix is cut off, unless the former one is still open", () => {
    const moved = contract({ logPrefix: "logs" });
    assert.deepEqual(found(asIs(), moved), ["trail/cut-off", "trail/delivery"]);
    const [cutOff, delivery] = deliveryFindings(asIs(), moved, archiveOf(moved), "payments");
    assert.match(cutOff?.message ?? "", /logs are being lost.*prefix none.*s3:PutObject/s);
    assert.match(delivery?.message ?? "", /S3KeyPrefix is none, and the contract says logs\.$/);
    assert.match(cutOff?.remedy ?? "", /crosstrail up --refresh --only payments/);

    const moving = contract({ logPrefix: "logs", previousLogPrefix: "" });
    assert.deepEqual(found(asIs(), moving), ["trail/delivery"]);
    assert.match(deliveryFindings(asIs(), moving, archiveOf(moving), "x")[0]?.message ?? "", /has not moved yet/);
  });

  it("one that still encrypts with a former key is cut off, one with a key of somebody else's cannot be judged", () => {
    const rotated = contract({ previousKeyArns: [formerKey], previousKeyInUse: false });
    assert.deepEqual(found(asIs({ keyArn: formerKey }), rotated), ["trail/cut-off", "trail/delivery"]);
    assert.deepEqual(found(asIs({ keyArn: `${keyArn.slice(0, -4)}ffff` })), ["trail/undecided", "trail/delivery"]);
  });

  it("a trail that nobody authorized is cut off, also if it delivers to the right place", () => {
    assert.deepEqual(found(asIs({ trailArn: trailArn(trailOf("222222222222", { name: "other" })) })), [
      "trail/cut-off",
    ]);
  });

  it("one without a key is not as the contract says; another bucket is not judged", () => {
    assert.deepEqual(found(asIs({ keyArn: undefined })), ["trail/delivery"]);
    assert.deepEqual(found(asIs({ bucketName: "another-bucket" })), ["trail/delivery"]);
    const { arrival } = arrivalOf(asIs({ bucketName: "another-bucket" }), contract(), archiveOf(contract()));
    assert.equal(arrival, "elsewhere");
  });

  it("policies that could not be read leave the comparison with the contract", () => {
    const moved = contract({ logPrefix: "logs" });
    assert.deepEqual(
      deliveryFindings(asIs(), moved, undefined, "payments").map(({ id }) => id),
      ["trail/delivery"],
    );
  });

  it("a trail that became the organization's is put to the policies as such", () => {
    const arn = trailArn(trailOf("555555555555"));
    const organization = { id: "o-exampleorg1", managementAccountId: "555555555555", trailArn: arn };
    const trail = asIs({ trailArn: arn, isOrganizationTrail: true });
    assert.deepEqual(found(trail, contract({ organization })), []);
    const trails = [{ accountId: "555555555555", alias: "root", trailArn: arn }];
    assert.deepEqual(found({ ...trail, isOrganizationTrail: false }, contract({ trails })), []);
  });
});
