// The keys that the digests are signed with, as CloudTrail has them: RSA-2048, each valid for 30 days, overlapping.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { PublicKey } from "../../core/logs";

const DAY = 86_400_000;
const VALID_DAYS = 30;
/** A new key is used from this many days after the one before. */
const ROTATED_DAYS = 25;

export interface SigningKey {
  publicKey: PublicKey;
  /** Of a signing string; in hex. */
  sign(text: string): string;
}

/** How the public key is encoded. AWS documents PKCS#1, and one of its own samples is a SubjectPublicKeyInfo. */
export type Encoding = "pkcs1" | "spki";

const made = new Map<string, KeyObject>();

/** A key of its own for each name, made once for this process. Its digits are chance; the seed decides all the rest. */
export function signingKey(name: string, validFrom: number, encoding: Encoding = "pkcs1"): SigningKey {
  const privateKey = made.get(name) ?? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  made.set(name, privateKey);
  const der = createPublicKey(privateKey).export({ type: encoding, format: "der" }) as Buffer;
  return {
    publicKey: {
      value: der.toString("base64"),
      fingerprint: createHash("md5").update(der).digest("hex"),
      validFrom,
      validUntil: validFrom + VALID_DAYS * DAY,
    },
    sign: (text) => sign("RSA-SHA256", Buffer.from(text), privateKey).toString("hex"),
  };
}

/** For another thread: the keys that were made here. */
export function exportKeys(): [string, string][] {
  return [...made].map(([name, key]) => [name, key.export({ type: "pkcs8", format: "pem" }) as string]);
}

export function importKeys(keys: [string, string][]): void {
  for (const [name, pem] of keys) made.set(name, createPrivateKey(pem));
}

/** The keys of a Region, by time: every second one is encoded as a SubjectPublicKeyInfo. */
export class KeyRing {
  private readonly keys = new Map<number, SigningKey>();

  constructor(
    private readonly seed: number,
    private readonly name = "all Regions",
  ) {}

  /** The key that signs at that time. */
  at(time: number): SigningKey {
    const index = Math.floor(time / (ROTATED_DAYS * DAY));
    const key =
      this.keys.get(index) ??
      signingKey(`${this.seed}/${this.name}/${index}`, index * ROTATED_DAYS * DAY, index % 2 === 0 ? "pkcs1" : "spki");
    this.keys.set(index, key);
    return key;
  }

  /** What ListPublicKeys returns: the keys that signed anything. */
  list(): PublicKey[] {
    return [...this.keys.values()].map(({ publicKey }) => publicKey);
  }
}
