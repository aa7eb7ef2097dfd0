/** Whether `destroy` may go ahead with the archive: what protects it, and whether its name was given. */
import type { Finding } from "../findings";

/** A resource of the audit stack's state, as far as it matters. */
export interface ArchiveResource {
  type: string;
  id?: string;
  protect?: boolean;
}

/**
 * Says why an audit stack must not be destroyed with these wishes, or nothing.
 * @param resources of the audit stack's state.
 * @param wanted the bucket that the user named to be removed.
 */
export function archiveRemovalFinding(
  stack: string,
  resources: ArchiveResource[],
  wanted: string | undefined,
): Finding | undefined {
  const held = resources.filter(({ type }) => type === "aws:s3/bucket:Bucket" || type === "aws:kms/key:Key");
  const bare = held.filter(({ protect }) => protect !== true);
  const bucket = held.find(({ type }) => type === "aws:s3/bucket:Bucket")?.id;
  const name = bucket ?? "key";
  if (wanted !== undefined && held.length > 0 && wanted !== name) {
    return {
      id: "archive/other-bucket",
      severity: "error",
      subject: `--delete-archive ${wanted}`,
      message: bucket === undefined ? "The archive has no bucket any more." : `The archive's bucket is ${bucket}.`,
      remedy: `Leave the option out to keep the archive. To remove it: --delete-archive ${name}`,
    };
  }
  if (wanted !== undefined && bare.length === 0 && held.length > 0) {
    return {
      id: "archive/protected",
      severity: "error",
      subject: `--delete-archive ${wanted}`,
      message: "The archive is protected, so it would stay.",
      remedy: `Leave the option out to keep the archive. To remove it, first set crosstrail:keepArchive: false and run crosstrail up --only ${stack}.`,
    };
  }
  if (bare.length === 0 || wanted === name) return undefined;
  return {
    id: "archive/not-protected",
    severity: "error",
    subject: bare.map(({ id }) => id).join(", "),
    message: "The archive is no longer protected: it would be deleted, and logs cannot be read without its key.",
    remedy: `To keep it, set crosstrail:keepArchive: true and run crosstrail up --only ${stack}. To delete it, add --delete-archive ${name}. S3 still refuses to delete a bucket that holds logs.`,
  };
}
