/** The log bucket, and what stands beside it: the bucket for its access logs, and the queue for its notifications. */
import { AccessLogBucket } from "../components/accessLogBucket";
import { AuditBucket, type AuditBucketArgs } from "../components/auditBucket";
import { NotificationQueue } from "../components/notificationQueue";
import { LogNotifications, notificationQueueName } from "../core/archive";
import { archiveInput, besideInput, componentArgs } from "../core/archivePolicies";
import type { AuditSettings } from "../core/settings";
import type { DeployedArchive } from "./archive";
import type { ArchiveKeys } from "./keys";

/** @param archive the controls as they will be: what cannot be undone is in it, too. */
export function logBucket(settings: AuditSettings, keys: ArchiveKeys, archive: DeployedArchive): AuditBucket {
  const { bucketName, keepArchive: keep, tags } = settings;
  const { accessLogBucket, accessLogDays, notifications, retention, mfaDelete, forceDestroy } = settings.archive;
  const beside = besideInput(settings);
  const accessLogs =
    archive.accessLogBucket === undefined
      ? undefined
      : new AccessLogBucket("access-logs", {
          ...beside,
          bucketName: archive.accessLogBucket,
          expirationDays: accessLogDays,
          keep,
          tags,
        });
  const queue =
    notifications === LogNotifications.Sqs
      ? new NotificationQueue("new-logs", { ...beside, queueName: notificationQueueName(bucketName), tags })
      : undefined;
  return new AuditBucket("audit", {
    ...componentArgs(archiveInput(settings)),
    ...keys.arns,
    // Where it was taken away, Object Lock stays on without locking anything new.
    objectLock: (settings.archive.objectLock ?? archive.objectLock) as AuditBucketArgs["objectLock"],
    retention: retention as AuditBucketArgs["retention"],
    mfaDelete,
    accessLogBucketName: accessLogBucket && accessLogs?.bucketName,
    eventBridge: notifications === LogNotifications.EventBridge,
    notificationQueueArn: queue?.queueArn,
    forceDestroy,
    policyForm: settings.bucketPolicyForm,
    keep,
    tags,
  });
}
