/** AWS partitions, Regions and account ids: what exists, and what is well formed. */

/** The partitions Crosstrail works in. A trail, its bucket and its key are always in the same one. */
export const Partition = { Aws: "aws", AwsCn: "aws-cn", AwsUsGov: "aws-us-gov" } as const;
export type Partition = (typeof Partition)[keyof typeof Partition];
export const partitions = Object.values(Partition);

/**
 * Regions per partition, as of November 2026. A test compares this table with the one the AWS SDK carries.
 * A Region that AWS opens later is declared with `crosstrail:extraRegions` until this table knows it.
 * Source: https://docs.aws.amazon.com/general/latest/gr/rande.html
 */
export const regions: Record<Partition, string[]> = {
  aws: [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
  ],
  "aws-cn": ["cn-north-1", "cn-northwest-1"],
  "aws-us-gov": ["us-gov-east-1", "us-gov-west-1"],
};

/** What a Region's name looks like in each partition; says which partition an unknown Region belongs to. */
const regionPatterns: Record<Partition, RegExp> = {
  aws: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/,
  "aws-cn": /^cn-\w+-\d+$/,
  "aws-us-gov": /^us-gov-\w+-\d+$/,
};

/** The partition a Region's name belongs to, or undefined when it looks like none. */
export function partitionOf(region: string): Partition | undefined {
  return partitions.find((partition) => regionPatterns[partition].test(region));
}

/**
 * Says what is wrong with a Region, or nothing when it exists in the partition.
 * @param extra Regions newer than our table; they must still look like Regions of the partition.
 */
export function regionProblem(region: string, partition: Partition, extra: string[] = []): string | undefined {
  if (regions[partition].includes(region)) return undefined;
  if (extra.includes(region) && regionPatterns[partition].test(region)) return undefined;
  const home = partitions.find((other) => regions[other].includes(region));
  if (home) return `Region ${region} is in partition ${home}, not in ${partition}`;
  return `partition ${partition} has no Region of this name; known are ${regions[partition].join(", ")}`;
}

/** Says what is wrong with an account id, or nothing when it is a string of 12 digits. */
export function accountIdProblem(value: unknown): string | undefined {
  if (typeof value === "number") {
    return "an AWS account ID is a string of 12 digits in quotes; without quotes, YAML reads a number and drops leading zeros";
  }
  if (typeof value !== "string") return "an AWS account ID is a string of 12 digits in quotes";
  if (/^\d{12}$/.test(value)) return undefined;
  if (/^\d+$/.test(value)) {
    const zeros = value.length < 12 ? '; without quotes, YAML drops leading zeros: write "012345678901"' : "";
    return `an AWS account ID has 12 digits, this has ${value.length}${zeros}`;
  }
  return "an AWS account ID is a string of 12 digits and nothing else";
}
