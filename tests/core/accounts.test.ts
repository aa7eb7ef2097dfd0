import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import type { Partition } from "../../core/accounts";
import { accountIdProblem, partitionOf, partitions, regionProblem, regions } from "../../core/accounts";

describe("core/accounts", () => {
  describe("account ids", () => {
    const cases: [unknown, string | undefined][] = [
      ["222222222222", undefined],
      ["000000000000", undefined],
      ["012345678901", undefined],
      [
        "12345678901",
        'an AWS account ID has 12 digits, this has 11; without quotes, YAML drops leading zeros: write "012345678901"',
      ],
      ["1234567890123", "an AWS account ID has 12 digits, this has 13"],
      [
        12345678901,
        "an AWS account ID is a string of 12 digits in quotes; without quotes, YAML reads a number and drops leading zeros",
      ],
      [
        222222222222,
        "an AWS account ID is a string of 12 digits in quotes; without quotes, YAML reads a number and drops leading zeros",
      ],
      ["2222-2222-2222", "an AWS account ID is a string of 12 digits and nothing else"],
      ["1.2345678901e+10", "an AWS account ID is a string of 12 digits and nothing else"],
      ["222222222222\n", "an AWS account ID is a string of 12 digits and nothing else"],
      ["２２２２２２２２２２２２", "an AWS account ID is a string of 12 digits and nothing else"],
      ["", "an AWS account ID is a string of 12 digits and nothing else"],
      [undefined, "an AWS account ID is a string of 12 digits in quotes"],
      [null, "an AWS account ID is a string of 12 digits in quotes"],
      [["222222222222"], "an AWS account ID is a string of 12 digits in quotes"],
    ];
    for (const [value, problem] of cases) {
      it(`${JSON.stringify(value)}: ${problem ?? "good"}`, () => assert.equal(accountIdProblem(value), problem));
    }

    it("takes every string of 12 digits, and no text of another length", () => {
      const digits = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }).map((each) => each.join(""));
      fc.assert(fc.property(digits, (id) => (accountIdProblem(id) === undefined) === (id.length === 12)));
    });
  });

  describe("Regions", () => {
    it("are those that the AWS SDK knows, in the same partitions", () => {
      // The SDK answers for a Region by name; its list is read out of the file that answers. Found from a client,
      // because the module is a dependency of the clients, not of ours.
      const file = require.resolve("@aws-sdk/core/client", { paths: [require.resolve("@aws-sdk/client-sts")] });
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const sdk = require(file) as { partition: (region: string) => { name: string; description?: string } };
      const named = [...readFileSync(file, "utf8").matchAll(/\b([a-z]{2}(?:-[a-z]+)+-\d+)["']?\s*:\s*\{/g)].map(
        ([, region]) => region as string,
      );
      const theirs: Record<string, string[]> = {};
      for (const region of new Set(named)) {
        const { name, description } = sdk.partition(region);
        if (description !== undefined) (theirs[name] ??= []).push(region);
      }
      assert.ok((theirs.aws ?? []).length > 30, "the SDK's list of Regions was not found in its file");
      for (const partition of partitions) {
        assert.deepEqual(regions[partition], [...(theirs[partition] ?? [])].sort(), partition);
      }
    });

    it("belong to the partition that their name says", () => {
      for (const partition of partitions) {
        for (const region of regions[partition]) {
          assert.equal(partitionOf(region), partition, region);
          assert.equal(regionProblem(region, partition), undefined, region);
        }
      }
    });

    for (const name of ["us-iso-east-1", "eu-isoe-west-1", "eusc-de-east-1", "europe", "us-east-1a", "", "US-EAST-1"]) {
      it(`"${name}" belongs to none of ours`, () => assert.equal(partitionOf(name), undefined));
    }

    it("of another partition are named with it", () => {
      assert.equal(regionProblem("cn-north-1", "aws"), "Region cn-north-1 is in partition aws-cn, not in aws");
      assert.equal(regionProblem("us-east-1", "aws-us-gov"), "Region us-east-1 is in partition aws, not in aws-us-gov");
    });

    it("that do not exist are refused with those that do", () => {
      assert.equal(
        regionProblem("cn-south-1", "aws-cn"),
        "partition aws-cn has no Region of this name; known are cn-north-1, cn-northwest-1",
      );
    });

    it("that AWS opens later can be declared, but for their own partition only", () => {
      assert.equal(regionProblem("eu-east-9", "aws", ["eu-east-9"]), undefined);
      for (const [region, partition] of [
        ["cn-south-1", "aws"],
        ["eu-east-9", "aws-cn"],
        ["nonsense", "aws"],
      ] as [string, Partition][]) {
        assert.match(regionProblem(region, partition, [region]) ?? "", /^partition/);
      }
    });
  });
});
