/** The permissions boundary of the roles that the stacks create: the most that any of them can do, whatever its policies say. */
import { bucketArn } from "../names";
import { logGroupArn } from "../policies/delivery";
import type { IdentityStatement, PolicyDocument } from "../policies/document";
import { list, policyDocument } from "../policies/document";
import type { RoleNames } from "./names";
import { homeRegions, ownRoles } from "./names";

/**
 * The managed policy for the account, or undefined where its stacks create no role. It allows what readers, replication and
 * CloudTrail's log role need, on this archive and these log groups.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 */
export function roleBoundary(names: RoleNames): PolicyDocument<IdentityStatement> | undefined {
  if (ownRoles(names).length === 0) return undefined;
  const { partition, accountId, archive, logGroups } = names;
  const statements: IdentityStatement[] = [];
  const allow = (
    Sid: string,
    Action: string[],
    Resource: string[],
    Condition?: IdentityStatement["Condition"],
  ): void => {
    statements.push({
      Sid,
      Effect: "Allow",
      Action: list(Action),
      Resource: list(Resource),
      ...(Condition && { Condition }),
    });
  };
  if (archive && (archive.readerNames.length > 0 || archive.replication)) {
    const bucket = bucketArn(partition, archive.bucketName);
    allow("FindLogs", ["s3:GetBucketLocation", "s3:GetReplicationConfiguration", "s3:ListBucket"], [bucket]);
    allow("ReadLogs", ["s3:GetObject", "s3:GetObjectVersion*"], [`${bucket}/*`]);
    // Log files carry their trail's ARN. The keys' ids are AWS's; what may decrypt is theirs to say as well.
    allow("DecryptLogs", ["kms:Decrypt"], [`arn:${partition}:kms:*:${accountId}:key/*`], {
      Null: { "kms:EncryptionContext:aws:cloudtrail:arn": "false" },
    });
    if (archive.replication) {
      const { destination, keyArn } = archive.replication;
      const copies = bucketArn(partition, destination);
      const keys = [`arn:${partition}:kms:*:${accountId}:key/*`, ...(keyArn === undefined ? [] : [keyArn])];
      allow(
        "WriteCopies",
        ["s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObject", "s3:ReplicateTags"],
        [`${copies}/*`],
      );
      allow("ReplicateEncrypted", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], keys, {
        StringLike: {
          "kms:EncryptionContext:aws:s3:arn": list([bucket, copies].flatMap((arn) => [arn, `${arn}/*`])),
          "kms:ViaService": "s3.*",
        },
      });
    }
  }
  if (logGroups.length > 0) {
    const streams = logGroups.flatMap(({ name }) =>
      homeRegions(names).map((region) => `${logGroupArn({ partition, region, accountId }, name)}:log-stream:*`),
    );
    allow("WriteLogStreams", ["logs:CreateLogStream", "logs:PutLogEvents"], streams);
  }
  return policyDocument<IdentityStatement>(statements);
}
