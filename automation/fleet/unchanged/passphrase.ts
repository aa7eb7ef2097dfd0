/** Whether a passphrase is the one of a stack's secrets, asked as Pulumi does: the salt comes with an encrypted word. */
import { createDecipheriv, pbkdf2 } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** The passphrase that Pulumi would use; undefined when it would ask for it. */
export function passphraseOf(env: NodeJS.ProcessEnv): string | undefined {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE;
  if (!env.PULUMI_CONFIG_PASSPHRASE_FILE) return undefined;
  try {
    return readFileSync(env.PULUMI_CONFIG_PASSPHRASE_FILE, "utf8").trim();
  } catch {
    return undefined;
  }
}

/**
 * @param salt `v1:<salt>:v1:<nonce>:<encrypted>`, each in base 64: PBKDF2 with a million rounds of SHA-256, then AES-256-GCM.
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/config/crypt.go
 */
export async function opens(passphrase: string, salt: string): Promise<boolean> {
  const [version, base, inner, nonce, sealed] = salt.split(":");
  if (version !== "v1" || inner !== "v1" || !base || !nonce || !sealed) return false;
  const bytes = Buffer.from(sealed, "base64");
  // The end is the tag.
  if (bytes.length <= 16) return false;
  const key = await derive(passphrase, Buffer.from(base, "base64"), 1_000_000, 32, "sha256");
  try {
    const cipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    cipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([cipher.update(bytes.subarray(0, -16)), cipher.final()]).toString("utf8") === "pulumi";
  } catch {
    return false;
  }
}

/** Asks once for each salt: a fleet has one, and the answer takes half a second. */
export class Passphrases {
  private readonly answers = new Map<string, Promise<boolean>>();
  private readonly passphrase: string | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.passphrase = passphraseOf(env);
  }

  opens(salt: string): Promise<boolean> {
    const { passphrase } = this;
    if (passphrase === undefined) return Promise.resolve(false);
    const answer = this.answers.get(salt) ?? opens(passphrase, salt);
    this.answers.set(salt, answer);
    return answer;
  }
}
