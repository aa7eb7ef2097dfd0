/** What can be switched on in the archive's policies. One list for the settings, the builders, the components and the simulation. */

/**
 * Who else than CloudTrail may use the archive, and who may not. A builder reads what concerns its policy. Everything is off by
 * default.
 */
export interface PolicyOptions {
  /** Other accounts that may read their own logs, as far as their own IAM policies let them. */
  memberReaders?: string[];
  /** Whether people read and delete log objects in sessions with MFA only. */
  requireMfa?: boolean;
  /** ARNs of roles of automation, which has no MFA, for which `requireMfa` does not count. */
  mfaExemptRoleArns?: string[];
  /** ARNs of the only roles that may change the buckets, what is in them, the key and the queue. None: IAM policies alone decide. */
  breakGlassRoleArns?: string[];
  /** Whether objects with another encryption than SSE-KMS with the archive's key are refused; needs `keyArn`. */
  denyOtherEncryption?: boolean;
  /** Whether the log bucket uses S3 Bucket Keys: CloudTrail then also decrypts, when a trail is created or updated. */
  bucketKeyEnabled?: boolean;
}
