/** The archive's controls as the audit stack's configuration has them. */
import type { LogNotifications, ObjectLock, Retention } from "../archive";
import { archiveConflicts } from "../archive";
import { valueAt } from "../issues";
import { roleArn } from "../names";
import type { Values } from "./keys";
import type { Place } from "./place";
import type { Report } from "./report";
import { subjectOf } from "./report";

export interface ArchiveOptions {
  objectLock?: ObjectLock;
  retention?: Retention;
  /** Name of the bucket for S3's server access logs; undefined: none are written. */
  accessLogBucket?: string;
  accessLogDays: number;
  /** ARNs of the only roles that may change the bucket or its log files; none: IAM policies alone decide. */
  breakGlassRoleArns: string[];
  denyOtherEncryption: boolean;
  notifications: LogNotifications;
  forceDestroy: boolean;
  /** What MFA Delete is expected to be; only the root user can switch it. */
  mfaDelete: boolean;
}

/** The archive's controls; reports those that exclude each other. Values with mistakes of their own are left out. */
export function archiveOptions(report: Report, values: Partial<Values>, place: Place): ArchiveOptions {
  const objectLock = isSet(values.objectLock) ? values.objectLock : undefined;
  const retention = isSet(values.retention) ? values.retention : undefined;
  const accessLogBucket = values.accessLogBucket === "" ? undefined : values.accessLogBucket;
  const { mfaDelete, forceDestroy, keepArchive, bucketName } = values;
  const controls = { objectLock, retention, mfaDelete, forceDestroy, keepArchive, accessLogBucket, bucketName };
  for (const { key, value, message, remedy } of archiveConflicts(controls, (name) => `crosstrail:${name}`)) {
    report.add("archive", subjectOf(key, value ?? valueAt(values, key.split("."))), message, remedy);
  }
  return {
    ...(objectLock && { objectLock }),
    ...(retention && { retention }),
    ...(accessLogBucket !== undefined && { accessLogBucket }),
    accessLogDays: values.accessLogDays as number,
    breakGlassRoleArns: breakGlassRoles(report, values, place),
    denyOtherEncryption: values.denyOtherEncryption === true,
    notifications: values.notifications as LogNotifications,
    forceDestroy: forceDestroy === true,
    mfaDelete: mfaDelete === true,
  };
}

function isSet(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

/** The roles' ARNs. A role of another account cannot change the bucket anyway: the bucket's policy lets nobody. */
function breakGlassRoles(report: Report, values: Partial<Values>, { partition }: Place): string[] {
  const { auditAccountId, breakGlassRoles: names = [] } = values;
  return names.map((name, index) => {
    if (!name.startsWith("arn:")) return roleArn(partition ?? "aws", auditAccountId ?? "", name);
    const [, itsPartition, , , itsAccount] = name.split(":");
    if (partition && auditAccountId && (itsPartition !== partition || itsAccount !== auditAccountId)) {
      report.add(
        "break-glass",
        subjectOf(`breakGlassRoles[${index}]`, name),
        `This role is not in the audit account (${auditAccountId}, partition ${partition}); no other account can change the bucket.`,
        `Name a role of the audit account in ${report.file}.`,
      );
    }
    return name;
  });
}
