/**
 * The archive's controls: how long logs are locked and kept, and which controls exclude each other. Settings and
 * components ask the same questions here. Sources:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html
 */

/** How Object Lock holds a version: `governance` may be lifted with a permission of its own, `compliance` by nobody. */
export const ObjectLockMode = { Governance: "governance", Compliance: "compliance" } as const;
export type ObjectLockMode = (typeof ObjectLockMode)[keyof typeof ObjectLockMode];

/** How long S3 keeps new log files from being deleted or overwritten. */
export interface ObjectLock {
  /** A value of ObjectLockMode. Left out, with neither days nor years: Object Lock is on and locks nothing by itself. */
  mode?: string;
  days?: number;
  years?: number;
  /** The bucket's name once more, for mode compliance: anyone who writes it knows that nobody can undo the lock. */
  confirmComplianceLock?: string;
}

/** A cheaper storage class, and the age at which log files go there. */
export interface Transition {
  storageClass: string;
  days: number;
}

/** How long logs are kept, before S3 deletes them. */
export interface Retention {
  days?: number;
  years?: number;
  /** Days that S3 keeps what was overwritten, deleted or has expired. */
  noncurrentDays?: number;
  transitions?: Transition[];
}

/** Where S3 sends notifications of new log files. */
export const LogNotifications = { None: "none", EventBridge: "eventBridge", Sqs: "sqs" } as const;
export type LogNotifications = (typeof LogNotifications)[keyof typeof LogNotifications];

/**
 * The storage classes for transitions, in the only order in which S3 moves objects on. One zone alone is not for
 * evidence.
 */
export const StorageClass = {
  StandardIa: "STANDARD_IA",
  IntelligentTiering: "INTELLIGENT_TIERING",
  GlacierIr: "GLACIER_IR",
  Glacier: "GLACIER",
  DeepArchive: "DEEP_ARCHIVE",
} as const;
export type StorageClass = (typeof StorageClass)[keyof typeof StorageClass];
export const storageClasses: string[] = Object.values(StorageClass);

/** Days of a span. A year has its share of the leap year, rounded up, so that no span is shorter than was meant. */
export function spanDays({ days, years }: { days?: number; years?: number }): number {
  return days ?? Math.ceil((years ?? 0) * 365.25);
}

/** A span as people write it. */
export function spanText({ days, years }: { days?: number; years?: number }): string {
  const [count, unit] = days === undefined ? [years, "year"] : [days, "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Days that S3 keeps what is no longer the current version: time to notice that somebody deleted logs. */
export function noncurrentDays(retention: Retention): number {
  return retention.noncurrentDays ?? Math.min(90, spanDays(retention));
}

/** The controls, as far as they can exclude each other. */
export interface ArchiveControls {
  bucketName?: string;
  objectLock?: ObjectLock;
  retention?: Retention;
  mfaDelete?: boolean;
  forceDestroy?: boolean;
  keepArchive?: boolean;
  accessLogBucket?: string;
}

/** Something that S3 would refuse, or that would undo what another control promises. */
export interface Conflict {
  /** The control, and within it: `retention.days`. */
  key: string;
  value: unknown;
  message: string;
  remedy: string;
}

/**
 * Every conflict among the controls.
 * @param name a control's name as the user writes it, for messages.
 */
export function archiveConflicts(controls: ArchiveControls, name: (key: keyof ArchiveControls) => string): Conflict[] {
  const { objectLock, retention, mfaDelete, forceDestroy, keepArchive, accessLogBucket, bucketName } = controls;
  const conflicts: Conflict[] = [];
  const add = (key: string, value: unknown, message: string, remedy: string) =>
    conflicts.push({ key, value, message, remedy });

  if (objectLock) lockConflicts(objectLock, bucketName, add);
  if (retention) retentionConflicts(retention, add);
  if (objectLock?.mode && retention && hasSpan(objectLock) && hasSpan(retention)) {
    if (spanDays(objectLock) > spanDays(retention)) {
      add(
        "retention",
        retention,
        `Logs would be locked for ${spanText(objectLock)} and expire after ${spanText(retention)}: they would be stored and billed until the lock ends anyway.`,
        `Set ${name("retention")} to at least the period of ${name("objectLock")}.`,
      );
    }
  }
  if (mfaDelete && retention) {
    add(
      "mfaDelete",
      true,
      `S3 does not allow lifecycle rules on a bucket with MFA Delete, and ${name("retention")} uses lifecycle rules.`,
      `Use one of them. ${name("objectLock")} also prevents versions from being deleted, and works with lifecycle rules.`,
    );
  }
  if (forceDestroy) {
    const refused: [boolean, string][] = [
      [keepArchive !== false, `${name("keepArchive")} is true: a kept bucket is never emptied`],
      [objectLock !== undefined, `${name("objectLock")} prevents logs from being deleted`],
      [mfaDelete === true, `with ${name("mfaDelete")} only the root user can delete versions`],
    ];
    const reasons = refused.filter(([holds]) => holds).map(([, reason]) => reason);
    if (reasons.length > 0) {
      add(
        "forceDestroy",
        true,
        `It deletes all logs with the bucket and is for tests only: ${reasons.join("; ")}.`,
        `Remove it. If the archive may be deleted with all its logs, set ${name("keepArchive")} to false and remove the locks.`,
      );
    }
  }
  if (accessLogBucket !== undefined && accessLogBucket === bucketName) {
    add(
      "accessLogBucket",
      accessLogBucket,
      "This is the log bucket itself; each access log would cause another one, endlessly.",
      "Use a separate bucket for the access logs.",
    );
  }
  return conflicts;
}

type Add = (key: string, value: unknown, message: string, remedy: string) => void;

function hasSpan({ days, years }: { days?: number; years?: number }): boolean {
  return days !== undefined || years !== undefined;
}

function spanConflict(key: string, value: { days?: number; years?: number }, add: Add): void {
  if ((value.days === undefined) === (value.years === undefined)) {
    const both = value.days !== undefined;
    add(key, value, `${both ? "Both days and years are" : "Neither days nor years is"} set.`, "Set one of them.");
  }
}

function lockConflicts(lock: ObjectLock, bucketName: string | undefined, add: Add): void {
  const modes: string[] = Object.values(ObjectLockMode);
  if (lock.mode === undefined && !hasSpan(lock)) return;
  if (lock.mode === undefined || !modes.includes(lock.mode)) {
    add(
      "objectLock.mode",
      lock.mode,
      `The mode decides who can lift the lock; allowed are ${modes.join(" and ")}.`,
      "Use governance to let principals with s3:BypassGovernanceRetention lift it. Nobody can lift compliance.",
    );
  }
  spanConflict("objectLock", lock, add);
  const { confirmComplianceLock: confirmation, mode } = lock;
  const isConfirmed = confirmation !== undefined && (bucketName === undefined || confirmation === bucketName);
  if (mode === ObjectLockMode.Compliance && !isConfirmed) {
    add(
      "objectLock.confirmComplianceLock",
      confirmation,
      "Nobody can shorten a compliance lock or delete what it holds, not even the root user or AWS, and the storage is billed until it ends.",
      `If you want this, confirm it with the bucket's name:  confirmComplianceLock: ${bucketName ?? "<bucket name>"}   Otherwise use mode governance.`,
    );
  }
  if (mode === ObjectLockMode.Governance && confirmation !== undefined) {
    add(
      "objectLock.confirmComplianceLock",
      confirmation,
      "This confirms a compliance lock, but the mode is governance.",
      "Remove it, or set the mode to compliance.",
    );
  }
}

function retentionConflicts(retention: Retention, add: Add): void {
  spanConflict("retention", retention, add);
  const transitions = retention.transitions ?? [];
  transitions.forEach(({ storageClass, days }, index) => {
    const key = `retention.transitions[${index}]`;
    const place = storageClasses.indexOf(storageClass);
    if (place < 0) {
      add(
        `${key}.storageClass`,
        storageClass,
        `Allowed are ${storageClasses.join(", ")}.`,
        "Use one of them or remove the transition. By default S3 does not move objects smaller than 128 KB, which would cost more than it saves.",
      );
    }
    if (storageClass === "STANDARD_IA" && days < 30) {
      add(`${key}.days`, days, "S3 moves objects to STANDARD_IA after 30 days at the earliest.", "Set at least 30.");
    }
    const before = transitions[index - 1];
    if (before && place >= 0 && place <= storageClasses.indexOf(before.storageClass)) {
      add(
        `${key}.storageClass`,
        storageClass,
        `S3 does not move objects from ${before.storageClass} to ${storageClass}.`,
        `Order them as ${storageClasses.join(", ")}.`,
      );
    }
    const earliest = before && before.days + (before.storageClass === "STANDARD_IA" ? 30 : 1);
    if (earliest !== undefined && days < earliest) {
      add(
        `${key}.days`,
        days,
        `The transition before it is at ${before?.days} days; this one can be at ${earliest} days at the earliest.`,
        "Set more days.",
      );
    }
    if (hasSpan(retention) && days >= spanDays(retention)) {
      add(
        `${key}.days`,
        days,
        `Logs expire after ${spanDays(retention)} days, before this transition.`,
        "Set fewer days, or remove the transition.",
      );
    }
  });
}

/**
 * The queue to which S3 sends notifications of new log files. A queue's name has no periods and at most 80 characters; a bucket's at
 * most 63.
 */
export function notificationQueueName(bucketName: string): string {
  return `${bucketName.replaceAll(".", "-")}-new-logs`;
}
