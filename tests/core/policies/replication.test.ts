import assert from "node:assert/strict";
import type { AccessRequest, PolicyDocument as Policy, RequestContext } from "../../../core/evaluate";
import { evaluate } from "../../../core/evaluate";
import type { PolicyDocument, Statement } from "../../../core/policies/document";
import { policyDocument } from "../../../core/policies/document";
import { keyPolicyIn } from "../../../core/policies/key";
import {
  replicationOfKey,
  replicationPermissions,
  replicationStatements,
  replicationTrust,
  statementsToAdd,
} from "../../../core/policies/replication";
import { auditAccountId, keyArn } from "../../support/fleet";
import { bucketDocument, fleet } from "../../support/policies";

const roleArn = `arn:aws:iam::${auditAccountId}:role/CrosstrailReplication`;
const source = { bucketName: "example-logs", region: "us-east-1" };
const destination = { bucketName: "example-copies", region: "eu-west-1" };
const grant = { roleArn, source, destination };
const copyKey = keyArn.replace("us-east-1", "eu-west-1");
const log = "arn:aws:s3:::example-logs/AWSLogs/222222222222/x.json.gz";
const copy = "arn:aws:s3:::example-copies/AWSLogs/222222222222/x.json.gz";

const role = { kind: "account" as const, arn: `arn:aws:sts::${auditAccountId}:assumed-role/CrosstrailReplication/s3` };
const admin = { kind: "account" as const, arn: `arn:aws:iam::${auditAccountId}:role/admin` };
const stranger = { kind: "account" as const, arn: "arn:aws:iam::999999999999:role/CrosstrailReplication" };

const ask = (
  caller: AccessRequest["caller"],
  action: string,
  resource: string,
  context: RequestContext = {},
  resourceAccountId = auditAccountId,
): AccessRequest => ({
  caller,
  action,
  resource,
  resourceAccountId,
  context: { "aws:SecureTransport": "true", ...context },
});
const viaS3 = (region: string, arn: string) => ({
  "kms:ViaService": `s3.${region}.amazonaws.com`,
  "kms:EncryptionContext:aws:s3:arn": arn,
});

const everything: Policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
const decide = (request: AccessRequest, policies: Parameters<typeof evaluate>[1]): boolean => {
  const decision = evaluate(request, policies);
  assert.notEqual(decision.reason, "notEvaluated", decision.explanation);
  return decision.allowed;
};
/** Callers bring an identity policy that allows everything. */
const allows = (document: object, request: AccessRequest) =>
  decide(request, { resourcePolicy: document as Policy, identityPolicies: [everything] });

/** The document with each part of each statement taken out, by the statement's id and the part. */
function loosened(document: PolicyDocument<Partial<Statement>>): Map<string, PolicyDocument<Partial<Statement>>> {
  const all = new Map<string, PolicyDocument<Partial<Statement>>>();
  document.Statement.forEach((statement, index) => {
    const add = (part: string, changed: Partial<Statement>) =>
      all.set(`${statement.Sid} ${part}`, { ...document, Statement: document.Statement.with(index, changed) });
    // Where the role's ARN is a condition, it also says the account: the principal alone keeps out nobody.
    if (statement.Principal !== undefined && !statement.Condition?.ArnEquals)
      add("Principal", { ...statement, Principal: "*" });
    add("Action", { ...statement, Action: "*" });
    if (statement.Resource !== undefined && statement.Resource !== "*")
      add("Resource", { ...statement, Resource: "*" });
    for (const operator of Object.keys(statement.Condition ?? {})) {
      const others = Object.entries(statement.Condition ?? {}).filter(([each]) => each !== operator);
      add(operator, { ...statement, Condition: Object.fromEntries(others) });
    }
  });
  return all;
}

/** Each part of each statement stops an attack: refused with it, possible without. */
function everyPart(
  name: string,
  document: PolicyDocument<Partial<Statement>>,
  attacks: Record<string, AccessRequest>,
  permits: (document: object, request: AccessRequest) => boolean = allows,
): void {
  const parts = loosened(document);
  it(`${name}: every part has its attack`, () => {
    assert.deepEqual([...parts.keys()].sort(), Object.keys(attacks).sort());
  });
  for (const [part, attack] of Object.entries(attacks)) {
    it(`${name}: ${part} stops ${attack.action} by ${"arn" in attack.caller ? attack.caller.arn : attack.caller.kind}`, () => {
      assert.equal(permits(document, attack), false);
      assert.equal(permits(parts.get(part) as object, attack), true);
    });
  }
}

describe("core/policies/replication", () => {
  const decrypts = ask(role, "kms:Decrypt", keyArn, viaS3("us-east-1", log));
  const encrypts = ask(role, "kms:Encrypt", copyKey, viaS3("eu-west-1", copy));
  const decryptsCopy = ask(admin, "kms:Decrypt", copyKey, viaS3("eu-west-1", copy));

  describe("the key's policy", () => {
    const reads = policyDocument(replicationStatements("aws", auditAccountId, { roleArn, reads: source }));
    const writes = policyDocument(replicationStatements("aws", auditAccountId, { roleArn, writes: destination }));

    it("lets the role decrypt logs, and encrypt copies; and the account read the copies", () => {
      assert.equal(allows(reads, decrypts), true);
      assert.equal(allows(writes, encrypts), true);
      assert.equal(allows(writes, decryptsCopy), true);
      assert.equal(
        allows(reads, ask(role, "kms:Decrypt", keyArn, viaS3("us-east-1", "arn:aws:s3:::example-logs"))),
        true,
      );
    });

    everyPart("of the key of the logs", reads, {
      "ReplicationReadsLogs Action": { ...decrypts, action: "kms:ReEncryptTo" },
      "ReplicationReadsLogs ArnEquals": { ...decrypts, caller: admin },
      "ReplicationReadsLogs StringEquals": ask(role, "kms:Decrypt", keyArn, {
        ...viaS3("us-east-1", log),
        "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
      }),
      "ReplicationReadsLogs StringLike": ask(role, "kms:Decrypt", keyArn, viaS3("us-east-1", "arn:aws:s3:::another/x")),
    });
    everyPart("of the key of the copies", writes, {
      "ReplicationWritesCopies Action": { ...encrypts, action: "kms:ReEncryptTo" },
      "ReplicationWritesCopies ArnEquals": { ...encrypts, caller: admin },
      "ReplicationWritesCopies StringEquals": ask(role, "kms:Encrypt", copyKey, {
        ...viaS3("eu-west-1", copy),
        "kms:ViaService": "dynamodb.eu-west-1.amazonaws.com",
      }),
      "ReplicationWritesCopies StringLike": ask(
        role,
        "kms:Encrypt",
        copyKey,
        viaS3("eu-west-1", "arn:aws:s3:::other/x"),
      ),
      "AccountReadsCopies Principal": { ...decryptsCopy, caller: stranger },
      "AccountReadsCopies Action": { ...decryptsCopy, action: "kms:Encrypt" },
      "AccountReadsCopies StringEquals": ask(admin, "kms:Decrypt", copyKey, {
        "kms:EncryptionContext:aws:s3:arn": copy,
      }),
      "AccountReadsCopies StringLike": ask(admin, "kms:Decrypt", copyKey, viaS3("eu-west-1", "arn:aws:s3:::other/x")),
    });

    it("has what replication does with the key of that Region, and no more", () => {
      assert.deepEqual(replicationOfKey(grant, "us-east-1", true), { roleArn, reads: source });
      assert.deepEqual(replicationOfKey(grant, "eu-west-1", true), { roleArn, writes: destination });
      assert.equal(replicationOfKey(grant, "eu-west-1", false), undefined);
      assert.equal(replicationOfKey(grant, "eu-west-2", true), undefined);
      const here = { ...grant, destination: { ...destination, region: "us-east-1" } };
      assert.deepEqual(replicationOfKey(here, "us-east-1", true), {
        roleArn,
        reads: source,
        writes: here.destination,
      });
    });

    it("with a bucket key, the role may also decrypt the key of the copies' bucket", () => {
      const document = keyPolicyIn("trailList", {
        partition: "aws",
        auditAccountId,
        trails: fleet,
        bucketKeyEnabled: true,
        replication: { roleArn, writes: destination },
      });
      const ofBucket = ask(role, "kms:Decrypt", copyKey, viaS3("eu-west-1", "arn:aws:s3:::example-copies"));
      assert.equal(allows(document, ofBucket), true);
      const [, withoutAccount] = replicationStatements("aws", auditAccountId, { roleArn, writes: destination });
      assert.equal(withoutAccount?.Sid, "AccountReadsCopies");
    });

    it("in China, S3 has another name", () => {
      const [statement] = replicationStatements("aws-cn", auditAccountId, {
        roleArn: roleArn.replace("arn:aws:", "arn:aws-cn:"),
        reads: { bucketName: "logs", region: "cn-north-1" },
      });
      assert.deepEqual(statement?.Condition?.StringEquals, { "kms:ViaService": "s3.cn-north-1.amazonaws.com.cn" });
      assert.deepEqual(statement?.Condition?.StringLike, {
        "kms:EncryptionContext:aws:s3:arn": ["arn:aws-cn:s3:::logs", "arn:aws-cn:s3:::logs/*"],
      });
    });
  });

  describe("the role", () => {
    const permissions = replicationPermissions({
      partition: "aws",
      source,
      destination,
      sourceKeyArns: [keyArn],
      destinationKeyArn: copyKey,
    });
    const openKey: Policy = {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${auditAccountId}:root` }, Action: "kms:*", Resource: "*" },
      ],
    };
    /** What the role's own policy lets pass: the buckets have no policy, and the keys leave it to IAM. */
    const passes = (identity: object, request: AccessRequest) =>
      decide(request, {
        identityPolicies: [identity as Policy],
        ...(request.action.startsWith("kms:") && { resourcePolicy: openKey }),
      });
    const work = [
      ask(role, "s3:GetReplicationConfiguration", "arn:aws:s3:::example-logs"),
      ask(role, "s3:GetObjectVersionForReplication", log),
      decrypts,
      ask(role, "s3:ReplicateObject", copy),
      encrypts,
    ];

    it("does its work, and without any one of its statements does not", () => {
      assert.deepEqual(
        work.map((request) => passes(permissions, request)),
        work.map(() => true),
      );
      permissions.Statement.forEach((_, index) => {
        const rest = { ...permissions, Statement: permissions.Statement.toSpliced(index, 1) };
        assert.ok(work.some((request) => !passes(rest, request)));
      });
    });

    everyPart(
      "permissions",
      permissions,
      {
        "FindLogs Action": ask(role, "s3:PutReplicationConfiguration", "arn:aws:s3:::example-logs"),
        "FindLogs Resource": ask(role, "s3:ListBucket", "arn:aws:s3:::secrets"),
        "ReadLogs Action": ask(role, "s3:DeleteObjectVersion", log),
        "ReadLogs Resource": ask(role, "s3:GetObjectVersionForReplication", "arn:aws:s3:::secrets/x"),
        "DecryptLogs Action": ask(role, "kms:Encrypt", keyArn, viaS3("us-east-1", log)),
        "DecryptLogs Resource": ask(
          role,
          "kms:Decrypt",
          keyArn.replace("1234abcd", "4321dcba"),
          viaS3("us-east-1", log),
        ),
        "DecryptLogs StringEquals": ask(role, "kms:Decrypt", keyArn, { "kms:EncryptionContext:aws:s3:arn": log }),
        "DecryptLogs StringLike": ask(role, "kms:Decrypt", keyArn, viaS3("us-east-1", "arn:aws:s3:::secrets/x")),
        "WriteCopies Action": ask(role, "s3:DeleteObject", copy),
        "WriteCopies Resource": ask(role, "s3:ReplicateObject", log),
        "EncryptCopies Action": ask(role, "kms:Decrypt", copyKey, viaS3("eu-west-1", copy)),
        "EncryptCopies Resource": ask(role, "kms:Encrypt", keyArn, viaS3("eu-west-1", copy)),
        "EncryptCopies StringEquals": ask(role, "kms:Encrypt", copyKey, { "kms:EncryptionContext:aws:s3:arn": copy }),
        "EncryptCopies StringLike": ask(role, "kms:Encrypt", copyKey, viaS3("eu-west-1", "arn:aws:s3:::secrets/x")),
      },
      passes,
    );

    it("neither deletes nor reads copies, nor makes them look deleted", () => {
      for (const action of ["s3:DeleteObject", "s3:ReplicateDelete", "s3:GetObject", "s3:PutObject"]) {
        assert.equal(passes(permissions, ask(role, action, copy)), false, action);
      }
    });

    it("is assumed by S3 only", () => {
      const assumed = (caller: AccessRequest["caller"]) =>
        decide(ask(caller, "sts:AssumeRole", roleArn), {
          resourcePolicy: replicationTrust() as Policy,
          resourceKind: "role",
          identityPolicies: [everything],
        });
      assert.equal(assumed({ kind: "service", service: "s3.amazonaws.com" }), true);
      for (const other of [admin, stranger, { kind: "service" as const, service: "ec2.amazonaws.com" }]) {
        assert.equal(assumed(other), false);
      }
    });

    it("reads logs without MFA where people need it, if it is exempt", () => {
      const read = ask(role, "s3:GetObjectVersionForReplication", log, { "aws:MultiFactorAuthPresent": "false" });
      const policy = (mfaExemptRoleArns: string[]) =>
        bucketDocument(undefined, { requireMfa: true, mfaExemptRoleArns });
      assert.equal(allows(policy([roleArn]), read), true);
      assert.equal(allows(policy([]), read), false);
    });
  });

  describe("what another account adds", () => {
    const owner = "222222222222";
    const all = statementsToAdd("aws", auditAccountId, grant, { bucket: true, key: true });
    const bucketPolicy = policyDocument(all.bucketPolicy as Statement[]);
    const keyPolicy = policyDocument(all.keyPolicy as Statement[]);
    const theirKey = `arn:aws:kms:eu-west-1:${owner}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
    const replicates = ask(role, "s3:ReplicateObject", copy, {}, owner);
    const encryptsTheirs = ask(role, "kms:Encrypt", theirKey, viaS3("eu-west-1", copy), owner);

    it("lets the role replicate, give the copy to its owner, and encrypt it", () => {
      assert.equal(allows(bucketPolicy, replicates), true);
      assert.equal(allows(bucketPolicy, { ...replicates, action: "s3:ObjectOwnerOverrideToBucketOwner" }), true);
      assert.equal(allows(keyPolicy, encryptsTheirs), true);
      const permissions = replicationPermissions({
        partition: "aws",
        source,
        destination,
        sourceKeyArns: [keyArn],
        destinationKeyArn: theirKey,
        otherAccount: true,
      });
      const both = (request: AccessRequest, resourcePolicy: object) =>
        decide(request, { resourcePolicy: resourcePolicy as Policy, identityPolicies: [permissions as Policy] });
      assert.equal(both(replicates, bucketPolicy), true);
      assert.equal(both({ ...replicates, action: "s3:ObjectOwnerOverrideToBucketOwner" }, bucketPolicy), true);
      assert.equal(both(encryptsTheirs, keyPolicy), true);
    });

    everyPart("its bucket's policy", bucketPolicy, {
      "CrosstrailReplicates Action": { ...replicates, action: "s3:DeleteObject" },
      "CrosstrailReplicates Resource": { ...replicates, resource: "arn:aws:s3:::example-copies" },
      "CrosstrailReplicates ArnEquals": { ...replicates, caller: admin },
    });
    everyPart("its key's policy", keyPolicy, {
      "CrosstrailReplicates Action": { ...encryptsTheirs, action: "kms:Decrypt" },
      "CrosstrailReplicates ArnEquals": { ...encryptsTheirs, caller: admin },
      "CrosstrailReplicates StringEquals": {
        ...encryptsTheirs,
        context: { "kms:EncryptionContext:aws:s3:arn": copy, "aws:SecureTransport": "true" },
      },
      "CrosstrailReplicates StringLike": {
        ...encryptsTheirs,
        context: { ...viaS3("eu-west-1", "arn:aws:s3:::other/x"), "aws:SecureTransport": "true" },
      },
    });

    it("is asked only for what is not the archive's", () => {
      assert.deepEqual(Object.keys(statementsToAdd("aws", auditAccountId, grant, { bucket: true, key: false })), [
        "bucketPolicy",
      ]);
      assert.deepEqual(Object.keys(statementsToAdd("aws", auditAccountId, grant, { bucket: false, key: true })), [
        "keyPolicy",
      ]);
    });
  });
});
