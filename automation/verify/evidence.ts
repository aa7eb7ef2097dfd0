/**
 * What a third party needs to check the result without Crosstrail, without AWS and without a network: the digests as CloudTrail
 * wrote them, the strings that were signed, signatures, public keys, and the hashes of all logs.
 */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../core/findings";
import { type ReadDigest, signingString, wholeSeconds } from "../../core/logs";
import { publicKeyObject } from "./publicKeys";
import type { RunOutcome } from "./run";
import { page } from "./evidencePage";

export interface Evidence {
  add: (digest: ReadDigest & { signature: string }, content: Buffer) => void;
  finish: (outcome: RunOutcome) => void;
}

/** Says what the folder is, so that an interrupted run recognizes its own. */
const marker = "crosstrail-evidence.json";

/** @throws UserError when the folder has something else in it. */
export function openEvidence(folder: string): Evidence {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder);
  if (names.length > 0 && !names.includes(marker)) {
    throw new UserError("The evidence cannot be written. Nothing was verified.", [
      {
        id: "verify/evidence-folder",
        severity: "error",
        subject: folder,
        message: "The folder is not empty, and it holds no evidence from an earlier run.",
        remedy: "Give an empty folder, or one that does not exist yet.",
      },
    ]);
  }
  writeFileSync(join(folder, marker), `${JSON.stringify({ version: 1 })}\n`);
  for (const each of ["digests", "keys"]) mkdirSync(join(folder, each), { recursive: true });
  // Named by content and place: the same digest of two places has two signatures.
  const idOf = ({ digest, contentHash }: ReadDigest) =>
    createHash("sha256").update(signingString(digest, contentHash)).digest("hex").slice(0, 32);
  return {
    add(read, content) {
      const { digest, contentHash, signature } = read;
      const at = join(folder, "digests", idOf(read));
      writeFileSync(`${at}.json`, content);
      writeFileSync(`${at}.txt`, signingString(digest, contentHash));
      writeFileSync(`${at}.sig`, Buffer.from(signature, "hex"));
    },
    finish({ result, keys }) {
      for (const key of keys.used.values()) {
        const object = publicKeyObject(key.value);
        if (!object) continue;
        writeFileSync(join(folder, "keys", `${key.fingerprint}.der`), Buffer.from(key.value, "base64"));
        writeFileSync(join(folder, "keys", `${key.fingerprint}.pem`), object.export({ type: "spki", format: "pem" }));
      }
      const list = [...keys.used.values()].map(({ value, fingerprint, validFrom, validUntil }) => ({
        Value: value,
        Fingerprint: fingerprint,
        ValidityStartTime: wholeSeconds(validFrom),
        ValidityEndTime: wholeSeconds(validUntil),
      }));
      writeFileSync(join(folder, "keys.json"), `${JSON.stringify({ PublicKeyList: list }, null, 2)}\n`);
      writeTables(folder);
      writeFileSync(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      writeFileSync(join(folder, "README.md"), page(result));
      writeFileSync(join(folder, "SHA256SUMS"), sums(folder));
    },
  };
}

/** What each digest is, and every log that they name, as tables that a shell can read. */
function writeTables(folder: string): void {
  const ids = readdirSync(join(folder, "digests"))
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.replace(/\.json$/, ""))
    .sort();
  writeFileSync(join(folder, "digests.tsv"), "");
  writeFileSync(join(folder, "logs.tsv"), "");
  for (const id of ids) {
    const content = readFileSync(join(folder, "digests", `${id}.json`));
    const digest = JSON.parse(content.toString("utf8")) as ReadDigest["digest"];
    const { digestPublicKeyFingerprint, digestS3Bucket, digestS3Object, previousDigestHashValue } = digest;
    const row = [
      id,
      digestPublicKeyFingerprint.toLowerCase(),
      `s3://${digestS3Bucket}/${digestS3Object}`,
      digest.digestStartTime,
      digest.digestEndTime,
      createHash("sha256").update(content).digest("hex"),
      previousDigestHashValue ?? "-",
    ];
    appendFileSync(join(folder, "digests.tsv"), `${row.map(cell).join("\t")}\n`);
    const logs = digest.logFiles.map(({ hashValue, s3Bucket, s3Object }) =>
      [hashValue.toLowerCase(), `s3://${s3Bucket}/${s3Object}`, id].map(cell).join("\t"),
    );
    if (logs.length > 0) appendFileSync(join(folder, "logs.tsv"), `${logs.join("\n")}\n`);
  }
}

/** Names come from the digests: a tab or a line feed in one must not look like another cell. */
function cell(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, "?");
}

function sums(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name !== "SHA256SUMS")
    .map((each) => join(each.parentPath, each.name).slice(folder.length + 1))
    .sort();
  return files
    .map(
      (file) =>
        `${createHash("sha256")
          .update(readFileSync(join(folder, file)))
          .digest("hex")}  ${file}\n`,
    )
    .join("");
}
