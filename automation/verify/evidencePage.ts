/** The page in a folder of evidence that says how to check it. A test follows it, command by command. */
import type { VerifyResult } from "./types";

export function page(result: VerifyResult): string {
  const { digests, logs, source, since, until, state, findings } = result;
  const words = { whole: "whole", problem: "not whole: something is wrong", notChecked: "not checked in full" }[state];
  return `# Evidence

What was verified: \`${source.replaceAll("`", "?")}\`, from ${since ?? "the beginning"} until ${until}.
Result: **${words}**. ${digests.verified} digests and ${logs.verified} log files verified, ${findings.length} findings (\`result.json\`).

This folder has all that is needed to check the result again, on a machine without Crosstrail, without AWS and without a
network. You need \`openssl\`, \`sha256sum\`, \`awk\` and a POSIX shell. Run each command in this folder.

| file | what it is |
|---|---|
| \`digests/<id>.json\` | a digest as CloudTrail wrote it, unpacked |
| \`digests/<id>.txt\` | the string that CloudTrail signed: end, place, SHA-256 of the digest, and the signature before it |
| \`digests/<id>.sig\` | the signature (RSASSA-PKCS1-v1_5 with SHA-256) |
| \`digests.tsv\` | of each digest: id, fingerprint of its key, place, start, end, SHA-256, SHA-256 of the digest before |
| \`logs.tsv\` | of each log file: SHA-256 of its unpacked content, place, id of the digest that names it |
| \`keys/<fingerprint>.pem\`, \`.der\` | AWS's public keys, for openssl and as AWS sends them |
| \`keys.json\` | the same as \`aws cloudtrail list-public-keys\` prints them |
| \`result.json\` | the result, with all findings |
| \`SHA256SUMS\` | the SHA-256 of every file here |

Digests that could not be proven are not here; \`result.json\` names them.

## 1. Nothing in this folder was changed

\`\`\`sh
sha256sum --quiet --check SHA256SUMS && echo "The folder is as it was written."
\`\`\`

This says only that the folder is as Crosstrail wrote it. Steps 2 to 5 do not need Crosstrail's word.

## 2. The keys are AWS's

A key's fingerprint is the MD5 of its DER. This compares each file with its name:

\`\`\`sh
for key in keys/*.der; do
  [ "$(openssl md5 -r "$key" | cut -c1-32)" = "$(basename "$key" .der)" ] || echo "WRONG KEY: $key"
done; echo "Keys compared."
\`\`\`

That a fingerprint is one of AWS's keys only AWS can say. Ask for it once, in any account:
\`aws cloudtrail list-public-keys --start-time <time> --end-time <time> --region <region>\`.

## 3. CloudTrail signed every digest

\`\`\`sh
while IFS="$(printf '\\t')" read -r id key place rest; do
  openssl dgst -sha256 -verify "keys/$key.pem" -signature "digests/$id.sig" "digests/$id.txt" >/dev/null 2>&1 ||
    echo "NOT SIGNED: $place"
done < digests.tsv; echo "Signatures checked."
\`\`\`

## 4. What was signed is this digest, of this place and time

\`\`\`sh
while IFS="$(printf '\\t')" read -r id key place start end hash previous; do
  [ "$(sha256sum < "digests/$id.json" | cut -d' ' -f1)" = "$hash" ] || echo "ANOTHER CONTENT: $place"
  [ "$(sed -n 1p "digests/$id.txt")" = "$end" ] || echo "ANOTHER TIME: $place"
  [ "s3://$(sed -n 2p "digests/$id.txt")" = "$place" ] || echo "ANOTHER PLACE: $place"
  [ "$(sed -n 3p "digests/$id.txt")" = "$hash" ] || echo "ANOTHER HASH: $place"
done < digests.tsv; echo "Digests compared."
\`\`\`

## 5. No digest is missing in between

Every digest names the SHA-256 of the one before it. This prints those whose predecessor is not here: the first of each chain
(\`-\` in the last column), the first in the range that was verified, and every gap.

\`\`\`sh
awk -F '\\t' 'NR == FNR { known[$6] = 1; next } $7 != "-" && !($7 in known) { print "NO PREDECESSOR: " $3 }' digests.tsv digests.tsv
echo "Chains followed."
\`\`\`

## 6. A log file is the one that was delivered

For a log file that you have, unpack it and compare it with the digests:

\`\`\`sh
check_log() { # check_log <file.json.gz> <s3://bucket/key>
  hash="$(gunzip -c "$1" | sha256sum | cut -d' ' -f1)"
  awk -F '\\t' -v hash="$hash" -v place="$2" '$1 == hash && $2 == place { found = 1 } END { print (found ? "GENUINE: " : "NOT THE SAME: ") place }' logs.tsv
}
\`\`\`

\`gunzip\` joins several gzip members into one; Crosstrail refuses such a file (\`verify/log-trailing-data\` in \`result.json\`).
`;
}
