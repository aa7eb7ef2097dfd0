/**
 * What the audit stack asks of AWS before it changes anything, with the credentials that the AWS provider of this stack has.
 * Through the SDK: what the provider does not find, the engine prints as an error of its own, and a resource that is read
 * stays in the stack's state.
 */
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { GetBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { KMSClient, ListResourceTagsCommand, paginateListAliases } from "@aws-sdk/client-kms";
import * as pulumi from "@pulumi/pulumi";
import { stackTag } from "../core/tags";
import type { AuditSettings } from "../core/settings";
import type { AuditAccess } from "./archive";
import { clientSettings, providerCredentials } from "./credentials";

export function auditAccess({ bucketName, auditAccountId, region }: AuditSettings): AuditAccess {
  // The SDK's warning about future Node.js versions is not for the users of this program.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const credentials = providerCredentials(pulumi.runtime.allConfig(), region);
  const common = { ...clientSettings, region, credentials };
  const endpoints = endpointsOf(pulumi.runtime.allConfig()["aws:endpoints"]);
  return {
    async roleArn(name) {
      const iam = new IAMClient({ ...common, ...(endpoints.iam && { endpoint: endpoints.iam }) });
      try {
        return (await iam.send(new GetRoleCommand({ RoleName: name }))).Role?.Arn;
      } catch (error) {
        if (isNamed(error, "NoSuchEntity", "NoSuchEntityException")) return undefined;
        throw error;
      } finally {
        iam.destroy();
      }
    },

    async mfaDelete() {
      const endpoint = endpoints.s3 ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
      // An endpoint of one's own rarely has a name for each bucket.
      const s3 = new S3Client({ ...common, ...(endpoint && { endpoint, forcePathStyle: true }) });
      try {
        const bucket = { Bucket: bucketName, ExpectedBucketOwner: auditAccountId };
        return (await s3.send(new GetBucketVersioningCommand(bucket))).MFADelete;
      } catch (error) {
        // Deleted behind the stack's back: a refresh will find that out.
        if (isNamed(error, "NoSuchBucket")) return undefined;
        throw error;
      } finally {
        s3.destroy();
      }
    },

    async aliasTarget(name) {
      const client = new KMSClient({ ...common, ...(endpoints.kms && { endpoint: endpoints.kms }) });
      try {
        for await (const { Aliases = [] } of paginateListAliases({ client }, {})) {
          const keyId = Aliases.find(({ AliasName }) => AliasName === name)?.TargetKeyId;
          if (keyId !== undefined) return { keyId, stack: await stackOf(client, keyId) };
        }
        return undefined;
      } finally {
        client.destroy();
      }
    },
  };
}

/** A deploy role may read the tags of its own stack's keys; of others it need not. */
async function stackOf(client: KMSClient, KeyId: string): Promise<string | undefined> {
  try {
    const { Tags = [] } = await client.send(new ListResourceTagsCommand({ KeyId }));
    return Tags.find(({ TagKey }) => TagKey === stackTag)?.TagValue;
  } catch (error) {
    if (isNamed(error, "AccessDeniedException", "NotFoundException")) return undefined;
    throw error;
  }
}

interface Endpoints {
  iam?: string;
  kms?: string;
  s3?: string;
}

/** The provider's own setting: a list of objects, as JSON. */
function endpointsOf(setting: string | undefined): Endpoints {
  try {
    return Object.assign({}, ...(JSON.parse(setting ?? "[]") as object[])) as Endpoints;
  } catch {
    // The provider refuses it, with its own words.
    return {};
  }
}

function isNamed(error: unknown, ...names: string[]): boolean {
  return names.includes((error as Error).name);
}
