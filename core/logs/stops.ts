/** Events after which a trail delivers no digests any more: they explain why a chain ends. */

/** Why a trail's chain may end, and who did it. */
export interface TrailStop {
  eventName: string;
  /** In milliseconds since 1970. */
  time: number;
  /** The trail's name; undefined when the event does not say it. */
  trailName: string | undefined;
  /** The Region of the call, which is the trail's home Region. */
  region: string;
  accountId: string;
  /** The caller's ARN, or what else the event says of it. */
  by: string;
  eventId: string;
}

/** The names to look for in a log before it is parsed. */
export const stopEventNames = ["StopLogging", "DeleteTrail", "UpdateTrail"] as const;

/** What a record of a log says, if it stops a trail's digests. A call that was refused stops nothing. */
export function trailStop(record: unknown): TrailStop | undefined {
  if (!isMap(record) || record.eventSource !== "cloudtrail.amazonaws.com" || record.errorCode) return undefined;
  const { eventName, eventTime, requestParameters, userIdentity } = record;
  if (!(stopEventNames as readonly unknown[]).includes(eventName)) return undefined;
  const parameters = isMap(requestParameters) ? requestParameters : {};
  // Another prefix does not end a chain; switching validation off does, and so does restricting a trail to one Region.
  const ends = parameters.enableLogFileValidation === false || parameters.isMultiRegionTrail === false;
  if (eventName === "UpdateTrail" && !ends) return undefined;
  const time = typeof eventTime === "string" ? Date.parse(eventTime) : NaN;
  if (Number.isNaN(time)) return undefined;
  const name = typeof parameters.name === "string" ? parameters.name.split("/").at(-1) : undefined;
  const identity = isMap(userIdentity) ? userIdentity : {};
  return {
    eventName: eventName as string,
    time,
    trailName: name,
    region: text(record.awsRegion),
    accountId: text(record.recipientAccountId),
    by: text(identity.arn) || text(identity.invokedBy) || text(identity.type) || "unknown",
    eventId: text(record.eventID),
  };
}

/** Digests end up to this long after the event: the final digest has the event in one of its logs. */
const finalDigest = 2 * 3_600_000;

/** The event that explains why the chain of this trail ends at that time. */
export function stopFor(
  stops: readonly TrailStop[],
  trail: { trailName: string; homeRegion: string },
  endTime: number,
): TrailStop | undefined {
  return stops.find(
    ({ trailName, region, time }) =>
      trailName === trail.trailName &&
      region === trail.homeRegion &&
      // The event happens in the window of the final digest, or shortly after it where that one came early.
      time <= endTime + 60_000 * 15 &&
      time >= endTime - finalDigest,
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
