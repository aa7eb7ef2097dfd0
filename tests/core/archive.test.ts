import assert from "node:assert/strict";
import { archiveConflicts, noncurrentDays, spanDays, storageClasses } from "../../core/archive";
import type { UserError } from "../../core/findings";
import { parseSettings } from "../../core/settings";
import { asConfig } from "../support/config";

const config = { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs" };

/** What the configuration is refused for: subject, message and remedy of each mistake. */
function mistakes(values: Record<string, unknown>): string[][] {
  try {
    parseSettings("audit", asConfig({ ...config, ...values }), "us-east-1");
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return (error as UserError).findings.map(({ subject, message, remedy }) => [subject, message, remedy]);
  }
  return [];
}
const subjects = (values: Record<string, unknown>) => mistakes(values).map(([subject]) => subject);

describe("core/archive", () => {
  describe("how long", () => {
    it("a year is never shorter than a year", () => {
      assert.deepEqual(
        [1, 2, 3, 4, 7, 100].map((years) => spanDays({ years })),
        [366, 731, 1096, 1461, 2557, 36525],
      );
      assert.equal(spanDays({ days: 30 }), 30);
    });

    it("what is no longer current is kept for 90 days, unless logs expire earlier or somebody says so", () => {
      assert.equal(noncurrentDays({ years: 7 }), 90);
      assert.equal(noncurrentDays({ days: 30 }), 30);
      assert.equal(noncurrentDays({ days: 30, noncurrentDays: 400 }), 400);
    });
  });

  it("controls that go together are taken", () => {
    const confirmComplianceLock = "example-logs";
    for (const values of [
      { objectLock: { mode: "governance", days: 1 }, retention: { days: 1 } },
      { objectLock: { mode: "compliance", years: 7, confirmComplianceLock }, retention: { years: 7 } },
      {
        objectLock: { mode: "compliance", days: 2557, confirmComplianceLock },
        retention: { years: 7 },
        requireMfa: true,
      },
      { objectLock: { mode: "governance", years: 1 }, mfaDelete: true },
      {
        retention: {
          years: 2,
          transitions: storageClasses.map((storageClass, at) => ({ storageClass, days: 30 + at * 40 })),
        },
      },
      { keepArchive: false, forceDestroy: true, retention: { days: 3 } },
      { accessLogBucket: "example-access-logs", accessLogDays: 1, notifications: "eventBridge" },
      // What Pulumi hands over for keys that are not set.
      { objectLock: {}, retention: {}, accessLogBucket: "" },
    ]) {
      assert.deepEqual(mistakes(values), [], JSON.stringify(values));
    }
  });

  it("all that exclude each other are told, at once", () => {
    assert.deepEqual(
      mistakes({
        objectLock: { mode: "compliance", years: 7 },
        retention: { days: 2556 },
        mfaDelete: true,
        forceDestroy: true,
        accessLogBucket: "example-logs",
      }),
      [
        [
          "crosstrail:objectLock.confirmComplianceLock is not set",
          "Nobody can shorten a compliance lock or delete what it holds, not even the root user or AWS, and the storage is billed until it ends.",
          "If you want this, confirm it with the bucket's name:  confirmComplianceLock: example-logs   Otherwise use mode governance.",
        ],
        [
          'crosstrail:retention = {"days":2556}',
          "Logs would be locked for 7 years and expire after 2556 days: they would be stored and billed until the lock ends anyway.",
          "Set crosstrail:retention to at least the period of crosstrail:objectLock.",
        ],
        [
          "crosstrail:mfaDelete = true",
          "S3 does not allow lifecycle rules on a bucket with MFA Delete, and crosstrail:retention uses lifecycle rules.",
          "Use one of them. crosstrail:objectLock also prevents versions from being deleted, and works with lifecycle rules.",
        ],
        [
          "crosstrail:forceDestroy = true",
          "It deletes all logs with the bucket and is for tests only: crosstrail:keepArchive is true: a kept bucket is never emptied; crosstrail:objectLock prevents logs from being deleted; with crosstrail:mfaDelete only the root user can delete versions.",
          "Remove it. If the archive may be deleted with all its logs, set crosstrail:keepArchive to false and remove the locks.",
        ],
        [
          'crosstrail:accessLogBucket = "example-logs"',
          "This is the log bucket itself; each access log would cause another one, endlessly.",
          "Use a separate bucket for the access logs.",
        ],
      ],
    );
  });

  it("each mistake of a lock", () => {
    for (const [lock, subject] of [
      [{ days: 1 }, "crosstrail:objectLock.mode is not set"],
      [{ mode: "GOVERNANCE", days: 1 }, 'crosstrail:objectLock.mode = "GOVERNANCE"'],
      [{ mode: "governance" }, 'crosstrail:objectLock = {"mode":"governance"}'],
      [{ mode: "governance", days: 1, years: 1 }, 'crosstrail:objectLock = {"mode":"governance","days":1,"years":1}'],
      [{ mode: "governance", days: 0 }, "crosstrail:objectLock.days = 0"],
      [{ mode: "governance", years: 101 }, "crosstrail:objectLock.years = 101"],
      [{ mode: "governance", dys: 1 }, "crosstrail:objectLock.dys = 1"],
      [
        { mode: "compliance", days: 1, confirmComplianceLock: "another-bucket" },
        'crosstrail:objectLock.confirmComplianceLock = "another-bucket"',
      ],
      [
        { mode: "governance", days: 1, confirmComplianceLock: "example-logs" },
        'crosstrail:objectLock.confirmComplianceLock = "example-logs"',
      ],
    ] as const) {
      assert.deepEqual(subjects({ objectLock: lock }), [subject]);
    }
    const [[, , remedy]] = mistakes({ objectLock: { mode: "governance", dys: 1 } }) as [string[]];
    assert.match(remedy ?? "", /^Did you mean days\?/);
  });

  it("each mistake of a retention", () => {
    const at = (index: number, field: string, value: unknown) =>
      `crosstrail:retention.transitions[${index}].${field} = ${JSON.stringify(value)}`;
    const to = (storageClass: string, days: number) => ({ storageClass, days });
    for (const [retention, expected] of [
      [{ noncurrentDays: 3 }, ['crosstrail:retention = {"noncurrentDays":3}']],
      [{ days: 9, years: 1 }, ['crosstrail:retention = {"days":9,"years":1}']],
      [{ years: 1, transitions: [to("ONEZONE_IA", 90)] }, [at(0, "storageClass", "ONEZONE_IA")]],
      [{ years: 1, transitions: [to("STANDARD_IA", 29)] }, [at(0, "days", 29)]],
      [{ years: 1, transitions: [to("STANDARD_IA", 30), to("GLACIER", 59)] }, [at(1, "days", 59)]],
      [{ years: 1, transitions: [to("GLACIER_IR", 9), to("GLACIER", 9)] }, [at(1, "days", 9)]],
      [{ years: 1, transitions: [to("GLACIER", 9), to("GLACIER_IR", 99)] }, [at(1, "storageClass", "GLACIER_IR")]],
      [{ days: 90, transitions: [to("GLACIER", 90)] }, [at(0, "days", 90)]],
    ] as const) {
      assert.deepEqual(subjects({ retention }), expected, JSON.stringify(retention));
    }
  });

  it("break-glass roles of other accounts", () => {
    const elsewhere = ["arn:aws:iam::222222222222:role/x", "arn:aws-cn:iam::111111111111:role/x"];
    assert.deepEqual(
      subjects({ breakGlassRoles: ["ok", ...elsewhere] }),
      elsewhere.map((arn, index) => `crosstrail:breakGlassRoles[${index + 1}] = "${arn}"`),
    );
    assert.deepEqual(subjects({ breakGlassRoles: ["no such name"] }), [
      'crosstrail:breakGlassRoles[0] = "no such name"',
    ]);
  });

  it("the same for components, in their words", () => {
    const [conflict] = archiveConflicts({ forceDestroy: true }, (name) => (name === "keepArchive" ? "keep" : name));
    assert.match(conflict?.message ?? "", /: keep is true/);
  });
});
