/** The public keys that CloudTrail's digests are signed with, as ListPublicKeys returns them. */

/**
 * One key. AWS's documentation calls the encoding PKCS#1; one of its own samples is a SubjectPublicKeyInfo, so readers must take both.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PublicKey.html
 */
export interface PublicKey {
  /** DER, in base64. */
  value: string;
  /** MD5 of the DER, in hex; a digest names its key by it. */
  fingerprint: string;
  /** In milliseconds since 1970. */
  validFrom: number;
  validUntil: number;
}

/** Which of the keys made a signature: of that fingerprint, and valid at that time. */
export const KeyChoice = { Found: "found", Unknown: "unknown", NotValidThen: "notValidThen" } as const;
export type KeyChoice = (typeof KeyChoice)[keyof typeof KeyChoice];

/** How long after the end of its window a digest may be signed: keys are rotated in the meantime. */
export const signedWithin = 2 * 3_600_000;

/**
 * @param madeAt the end of the digest's window; of a backfill digest when it was made.
 * @param slack a backfill digest's time is taken an hour exactly in both directions, as AWS's own tool does.
 */
export function chooseKey(
  keys: readonly PublicKey[],
  fingerprint: string,
  madeAt: number,
  slack = { before: 0, after: signedWithin },
): { choice: KeyChoice; key?: PublicKey } {
  const same = keys.filter((key) => key.fingerprint.toLowerCase() === fingerprint.toLowerCase());
  if (same.length === 0) return { choice: KeyChoice.Unknown };
  const key = same.find(
    ({ validFrom, validUntil }) => validFrom <= madeAt + slack.after && validUntil >= madeAt - slack.before,
  );
  return key ? { choice: KeyChoice.Found, key } : { choice: KeyChoice.NotValidThen, key: same[0] };
}
