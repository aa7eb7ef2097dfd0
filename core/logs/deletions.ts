/** Who deleted an object of the archive: in the data events of its bucket, if a trail records them. */

export interface Deletion {
  key: string;
  /** In milliseconds since 1970. */
  time: number;
  /** The caller's ARN, or what else the event says about it. */
  by: string;
  sourceIp: string;
  eventId: string;
}

/** The name to look for in a log before it is parsed. */
export const deletionEventName = "DeleteObject";

/**
 * What a record of a log says, if it deleted an object, or a version of one. A call that was refused deleted nothing.
 * @param bucket undefined where any will do: a folder may be a copy of any.
 */
export function deletion(record: unknown, bucket: string | undefined): Deletion | undefined {
  if (!isMap(record) || record.eventSource !== "s3.amazonaws.com" || record.errorCode) return undefined;
  if (record.eventName !== deletionEventName || !isMap(record.requestParameters)) return undefined;
  const { bucketName, key } = record.requestParameters;
  if (typeof key !== "string" || (bucket !== undefined && bucketName !== bucket)) return undefined;
  const time = Date.parse(text(record.eventTime));
  if (Number.isNaN(time)) return undefined;
  const identity = isMap(record.userIdentity) ? record.userIdentity : {};
  return {
    key,
    time,
    by: text(identity.arn) || text(identity.invokedBy) || text(identity.type) || "unknown",
    sourceIp: text(record.sourceIPAddress),
    eventId: text(record.eventID),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
