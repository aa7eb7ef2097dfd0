/** Where the public keys come from, and the check of a signature. */
import { createHash, createPublicKey, constants, type KeyObject, verify } from "node:crypto";
import type { PublicKey } from "../../core/logs";
import { chooseKey, KeyChoice } from "../../core/logs";
import { UserError } from "../../core/findings";
import { readText } from "../stackFile";

/** Gives the keys of a Region that signed digests in that time, in milliseconds since 1970. */
export interface KeySource {
  /** @throws KeysError */
  keys(region: string, from: number, to: number): Promise<PublicKey[]>;
}

/** The keys of a Region cannot be had, which says nothing about its digests. */
export class KeysError extends Error {}

/** Asks a source once for each Region and time, and keeps what it answers. */
export class KeyStore {
  private readonly asked = new Map<string, Promise<Map<string, PublicKey>>>();
  private readonly parsed = new Map<string, KeyObject | undefined>();
  /** All that were used, by Region and fingerprint. */
  readonly used = new Map<string, PublicKey & { region: string }>();

  constructor(private readonly source: KeySource) {}

  private of(region: string, from: number, to: number): Promise<Map<string, PublicKey>> {
    const id = `${region}/${from}/${to}`;
    let answer = this.asked.get(id);
    if (!answer) {
      answer = this.source.keys(region, from, to).then((keys) => {
        // A key whose fingerprint is wrong does not count.
        const own = keys.filter(({ value, fingerprint }) => fingerprintOf(value) === fingerprint.toLowerCase());
        return new Map(own.map((key) => [`${key.fingerprint.toLowerCase()}/${key.validFrom}`, key]));
      });
      this.asked.set(id, answer);
    }
    return answer;
  }

  /**
   * The key of a digest. Keys are asked for by month, with a week on both sides.
   * @throws KeysError
   */
  async choose(
    region: string,
    fingerprint: string,
    madeAt: number,
    slack?: { before: number; after: number },
  ): Promise<{ choice: KeyChoice; key?: PublicKey; object?: KeyObject }> {
    const date = new Date(madeAt);
    const month = (more: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + more);
    const keys = await this.of(region, month(0) - 7 * day, month(1) + 7 * day);
    const found = chooseKey([...keys.values()], fingerprint, madeAt, slack);
    if (found.choice !== KeyChoice.Found || !found.key) return found;
    this.used.set(`${region}/${found.key.fingerprint}`, { ...found.key, region });
    return { ...found, object: this.object(found.key) };
  }

  private object(key: PublicKey): KeyObject | undefined {
    if (!this.parsed.has(key.value)) this.parsed.set(key.value, publicKeyObject(key.value));
    return this.parsed.get(key.value);
  }
}

const day = 86_400_000;

/** MD5 of the key's DER, in hex. */
export function fingerprintOf(value: string): string {
  return createHash("md5").update(Buffer.from(value, "base64")).digest("hex");
}

/** The key, in whichever of the two encodings it came; undefined when it is an RSA key in neither. */
export function publicKeyObject(value: string): KeyObject | undefined {
  for (const type of ["pkcs1", "spki"] as const) {
    try {
      const key = createPublicKey({ key: Buffer.from(value, "base64"), format: "der", type });
      if (key.asymmetricKeyType === "rsa") return key;
    } catch {
      // The other one, then.
    }
  }
  return undefined;
}

/** Whether the signature, in hex, is that key's of the string. */
export function isSigned(text: string, signature: string, key: KeyObject): boolean {
  if (!/^([0-9a-f]{2})+$/i.test(signature)) return false;
  return verify(
    "RSA-SHA256",
    Buffer.from(text, "utf8"),
    { key, padding: constants.RSA_PKCS1_PADDING },
    Buffer.from(signature, "hex"),
  );
}

/** Keys from a file: what `aws cloudtrail list-public-keys` prints, for as many Regions and times as needed. */
export function keysOfFile(file: string): KeySource {
  const text = readText(file, "The file of public keys");
  const keys = parseKeys(text);
  if (keys.length === 0) {
    throw new UserError("The file of public keys cannot be used.", [
      {
        id: "verify/keys-file",
        severity: "error",
        subject: file,
        message: "It has no PublicKeyList with keys whose fingerprint is the MD5 of their value.",
        remedy:
          "Write it with: aws cloudtrail list-public-keys --start-time <time> --end-time <time> --region <region>",
      },
    ]);
  }
  return { keys: () => Promise.resolve(keys) };
}

/** One or more JSON documents as the AWS CLI prints them, or the `keys.json` of an evidence folder. */
export function parseKeys(text: string): PublicKey[] {
  let lists: unknown[];
  try {
    // Documents of several Regions may simply be put behind one another.
    const joined = `[${text.trim().replace(/\}\s*\{/g, (gap) => (/[\r\n]/.test(gap) ? "},{" : gap))}]`;
    lists = JSON.parse(joined) as unknown[];
  } catch {
    return [];
  }
  return lists.flatMap((each) => {
    const list = (each as { PublicKeyList?: unknown } | null)?.PublicKeyList;
    return Array.isArray(list) ? list.flatMap(keyOf) : [];
  });
}

function keyOf(entry: unknown): PublicKey[] {
  const { Value, Fingerprint, ValidityStartTime, ValidityEndTime } = (entry ?? {}) as Record<string, unknown>;
  const [validFrom, validUntil] = [timeOf(ValidityStartTime), timeOf(ValidityEndTime)];
  if (typeof Value !== "string" || typeof Fingerprint !== "string") return [];
  if (validFrom === undefined || validUntil === undefined || fingerprintOf(Value) !== Fingerprint.toLowerCase())
    return [];
  return [{ value: Value, fingerprint: Fingerprint.toLowerCase(), validFrom, validUntil }];
}

/** Seconds since 1970, or an ISO time, as different versions of the AWS CLI print it. */
function timeOf(value: unknown): number | undefined {
  const time = typeof value === "number" ? value * 1000 : typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
