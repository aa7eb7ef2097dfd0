import assert from "node:assert/strict";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Step } from "../../../core/fleet";
import { fleetOf, planDestroy, planUp } from "../../../core/fleet";
import type { AuditSettings } from "../../../core/settings";
import { parseSettings } from "../../../core/settings";
import { exitCodeOf, textOf } from "../../../automation/commands/_fleet";
import { diagnose, diagnoseText, retryReason } from "../../../automation/fleet/diagnosis";
import { execute } from "../../../automation/fleet/execute";
import { areDead, locksIn } from "../../../automation/fleet/lock";
import { defaultParallel } from "../../../automation/fleet/run";
import type { DeployedSelectors } from "../../../automation/fleet/worker/selectors";
import { selectorDifference } from "../../../automation/fleet/worker/selectors";
import type { EventChoice } from "../../../core/events";
import type { FleetResult, StackResult, Status } from "../../../automation/fleet/types";
import { ExitCode } from "../../../automation/output";
import pc from "picocolors";

const members = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    accountId: String(200000000000 + index),
    alias: `member-${index}`,
  }));
const settings = (count: number) =>
  parseSettings(
    "audit",
    {
      role: "audit",
      auditAccountId: "111111111111",
      bucketName: "example-logs",
      members: JSON.stringify(members(count)),
    },
    "eu-central-1",
  ) as AuditSettings;
const steps = (count: number, plan = planUp): Step[] => plan(fleetOf(settings(count), "audit", undefined, new Set()));

const resultOf = ({ stack, action }: Step, status: Status = "succeeded", more: Partial<StackResult> = {}) => ({
  stack: stack.name,
  kind: stack.kind,
  accountId: stack.accountId,
  action,
  status,
  changes: {},
  resources: [],
  findings: [],
  exitCode: status === "succeeded" ? 0 : ExitCode.Deployment,
  attempts: 1,
  seconds: 1,
  ...more,
});
const fleetResult = (stacks: StackResult[], status: Status): FleetResult => ({
  action: "up",
  status,
  stacks,
  findings: [],
  seconds: 61,
});
const plain = pc.createColors(false);

describe("fleet execution", () => {
  it("200 members: the audit stack first, no more at a time than wanted, results in the plan's order", async () => {
    let [running, most] = [0, 0];
    const began: string[] = [];
    const results = await execute(
      steps(200),
      async (step) => {
        began.push(step.stack.name);
        most = Math.max(most, ++running);
        // The audit stack takes longest, and everyone must wait.
        await sleep(step.stack.kind === "audit" ? 20 : Number(step.stack.accountId) % 3);
        if (step.stack.kind === "audit") assert.equal(running, 1);
        running--;
        return resultOf(step, step.stack.name === "member-7" ? "failed" : "succeeded");
      },
      { parallel: 8 },
    );
    assert.equal(most, 8);
    assert.equal(began[0], "audit");
    assert.deepEqual(
      results.map(({ stack }) => stack),
      ["audit", ...members(200).map(({ alias }) => alias)],
    );
    assert.deepEqual(
      results.filter(({ status }) => status !== "succeeded").map(({ stack }) => stack),
      ["member-7"],
    );
    const text = textOf("up", fleetResult(results, "failed"), plain);
    assert.match(text, /up: 201 stacks, 200 succeeded, 1 failed, no changes \(1 min 1 s\)/);
    assert.match(text, /To retry only these: crosstrail up --failed\n +or: crosstrail up --only member-7\n/);
    assert.ok(text.split("\n").length < 10, "the summary is about what is not as it should be");
  });

  it("status: a trail that could not be read is no trail that is missing, with the exit code of its reason", () => {
    const [step] = steps(1) as [Step];
    const unread = (id: StackResult["findings"][number]["id"], exitCode: number, message: string): StackResult => ({
      ...resultOf(step, "failed"),
      action: "status",
      exitCode,
      findings: [{ id, severity: "error", subject: "audit", message, remedy: "Log in." }],
    });
    for (const [id, code, message, said] of [
      ["credentials/expired", 3, "The credentials have expired.", "because the credentials have expired."],
      [
        "aws/unreachable",
        1,
        "AWS could not be reached: no such host.",
        "because AWS could not be reached: no such host.",
      ],
      ["aws/denied", 3, "The credentials may not do this.\nAWS says: x", "because the credentials may not do this."],
    ] as const) {
      const fleet = fleetResult([unread(id, code, message)], "failed");
      const text = textOf("status", fleet, plain);
      assert.ok(text.includes(`✖ audit ${step.stack.accountId}: could not be read, ${said}\n`), text);
      assert.doesNotMatch(text, /no trail/);
      assert.equal(exitCodeOf(fleet), code);
    }
    const without = fleetResult([{ ...resultOf(step, "succeeded"), action: "status" }], "succeeded");
    assert.match(textOf("status", without, plain), /✔ audit \d+: no trail of its own\n/);
  });

  it("what a run over 200 members keeps is small", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = () => (collect(), process.memoryUsage().heapUsed);
    // What a first up brings of each stack: its resources with all inputs, the audit stack's with a policy as large as
    // may be.
    const resources = (count: number, bytes: number) =>
      Array.from({ length: count }, (_, index) => ({
        urn: `urn:pulumi:a::crosstrail::aws:cloudtrail/trail:Trail::${index}`,
        type: "aws:cloudtrail/trail:Trail",
        name: String(index),
        op: "create",
        diffs: [],
        after: { policy: Buffer.alloc(bytes, index).toString("latin1") },
      }));
    const before = held();
    const results = await execute(
      steps(200),
      (step) => {
        const isAudit = step.stack.kind === "audit";
        return Promise.resolve(
          resultOf(step, "succeeded", { resources: isAudit ? resources(13, 32_768) : resources(3, 2_048) }),
        );
      },
      { parallel: 4 },
    );
    const megabytes = (held() - before) / 1e6;
    assert.equal(results.length, 201);
    assert.ok(megabytes < 10, `${megabytes.toFixed(1)} MB`);
  });

  it("leaves the members alone when the audit stack fails", async () => {
    const results = await execute(steps(2), (step) => Promise.resolve(resultOf(step, "failed")), { parallel: 2 });
    assert.deepEqual(
      results.map(({ status }) => status),
      ["failed", "skipped", "skipped"],
    );
    assert.match(results[1]?.findings[0]?.message ?? "", /^Skipped: stack audit must succeed first\.$/);
  });

  it("members go on beside an audit stack that had to be left alone, if it authorizes them already", async () => {
    const [audit, one, two] = steps(2) as [Step, Step, Step];
    const gone: Step = {
      ...audit,
      stack: { ...one.stack, name: "gone", removed: true },
      action: "destroy",
      after: [],
      needs: [],
    };
    const plan = [
      gone,
      { ...audit, after: ["gone"], needs: ["gone"] },
      { ...one, orUntouched: true },
      { ...two, orUntouched: false },
    ];
    const run = (step: Step) => Promise.resolve(resultOf(step, step.stack.name === "gone" ? "failed" : "succeeded"));
    const results = await execute(plan, run, { parallel: 4 });
    assert.deepEqual(
      results.map(({ stack, status }) => [stack, status]),
      [
        ["gone", "failed"],
        ["audit", "skipped"],
        ["member-0", "succeeded"],
        ["member-1", "skipped"],
      ],
    );
  });

  it("the audit stack is not destroyed when one member could not be", async () => {
    const run = (step: Step) =>
      Promise.resolve(resultOf(step, step.stack.name === "member-1" ? "failed" : "succeeded"));
    const results = await execute(steps(3, planDestroy), run, { parallel: 4 });
    assert.equal(results.at(-1)?.stack, "audit");
    assert.equal(results.at(-1)?.status, "skipped");
  });

  it("begins nothing more once it is cancelled, and says so of each stack", async () => {
    const controller = new AbortController();
    const results = await execute(
      steps(20),
      async (step) => {
        await sleep(1);
        if (step.stack.name === "member-1") controller.abort();
        return resultOf(step);
      },
      { parallel: 1, signal: controller.signal },
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      [...Array<Status>(3).fill("succeeded"), ...Array<Status>(18).fill("cancelled")],
    );
    assert.equal(exitCodeOf(fleetResult(results, "cancelled")), ExitCode.Cancelled);
  });

  it("exits with what all failures have in common, otherwise with a failed deployment", () => {
    const [audit, one] = steps(1) as [Step, Step];
    const exit = (...codes: number[]) =>
      exitCodeOf(
        fleetResult(
          codes.map((exitCode, index) => resultOf(index ? one : audit, "failed", { exitCode })),
          "failed",
        ),
      );
    assert.equal(exit(ExitCode.Authentication, ExitCode.Authentication), ExitCode.Authentication);
    assert.equal(exit(ExitCode.Authentication, ExitCode.Usage), ExitCode.Deployment);
  });

  it("takes as many stacks at a time as processors and memory allow", () => {
    assert.equal(defaultParallel(2, 16e9), 4);
    assert.equal(defaultParallel(64, 64e9), 16);
    assert.equal(defaultParallel(8, 2e9), 2);
    assert.equal(defaultParallel(8, 1e8), 1);
  });
});

describe("fleet failures", () => {
  const lockText = (pid: number, host = hostname()) =>
    `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.\n  file:///state/.pulumi/locks/organization/crosstrail/web/1.json: created by ann@${host} (pid ${pid}) at 2026-11-22T18:00:00Z`;

  it("name who holds the lock", () => {
    const { findings, exitCode } = diagnoseText("web", lockText(77, "build-7"));
    assert.equal(exitCode, ExitCode.Deployment);
    assert.match(
      findings[0]?.message ?? "",
      /ann@build-7 \(process 77\) has held the stack's lock since 2026-11-22T18:00:00Z/,
    );
    assert.match(findings[0]?.remedy ?? "", /pulumi cancel -s web/);
  });

  it("a lock is dead only if its process ran on this machine, and is gone", () => {
    const alive = (pid: number) => pid === 1;
    assert.equal(areDead(locksIn(lockText(77)), alive), true);
    assert.equal(areDead(locksIn(lockText(1)), alive), false);
    assert.equal(areDead(locksIn(lockText(77, "another-host")), alive), false);
    assert.equal(areDead(locksIn("error: something else (pid 77)"), alive), false);
  });

  const cases: [string, string, number][] = [
    [
      "IAM Role (arn:aws:iam::222222222222:role/Deploy) cannot be assumed.",
      "credentials/role-not-assumed",
      ExitCode.Authentication,
    ],
    [
      "AccessDenied: User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/Deploy",
      "credentials/role-not-assumed",
      ExitCode.Authentication,
    ],
    ["error: no stack named 'audit' found", "stack/missing", ExitCode.StackNotFound],
    ["ExpiredToken: The security token included in the request is expired", "credentials/expired", 3],
    ["error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "secrets/passphrase", 3],
    ["MalformedPolicy: Policy exceeds the maximum allowed document size.", "policy/too-large", ExitCode.Deployment],
    ["InsufficientS3BucketPolicyException: Incorrect S3 bucket policy", "trail/archive-refuses", ExitCode.Deployment],
    [
      "default_7_48_0: no resource plugin 'pulumi-resource-aws' found in the workspace at version v7.48.0 or on your $PATH",
      "plugin/missing",
      ExitCode.Other,
    ],
    ["[409] Conflict: Another update is currently in progress.", "stack/locked", ExitCode.Deployment],
    ["error: something new", "stack/failed", ExitCode.Deployment],
  ];
  for (const [text, id, exitCode] of cases) {
    it(`${id}: ${text.slice(0, 60)}`, () => {
      const diagnosis = diagnoseText("web", text);
      assert.deepEqual([diagnosis.findings[0]?.id, diagnosis.exitCode], [id, exitCode]);
      if (id === "credentials/role-not-assumed") {
        assert.match(diagnosis.findings[0]?.message ?? "", /role arn:aws:iam::222222222222:role\/Deploy could not/);
      }
    });
  }

  it("refused credentials: which account is meant, and what the provider says, or what else is the cause", () => {
    const message = "This stack's account is 222222222222. What the provider found is in its error beside this one.";
    const findings = [
      { id: "stack/no-credentials" as const, severity: "error" as const, subject: "x", message, remedy: "y" },
    ];
    const diagnosed = (...errors: string[]) => {
      const operation = { ok: false, resources: [], errors: [...errors, `Stack: ${message}`], findings };
      const { exitCode, findings: found } = diagnose("web", operation);
      assert.equal(found.length, 1);
      return [found[0]?.id, exitCode, found[0]?.message];
    };
    assert.deepEqual(diagnosed("default: AWS account ID not allowed: 111111111111"), [
      "stack/no-credentials",
      ExitCode.Authentication,
      "This stack's account is 222222222222. The provider says: default: AWS account ID not allowed: 111111111111",
    ]);
    assert.deepEqual(diagnosed(), ["stack/no-credentials", ExitCode.Authentication, message]);
    assert.equal(diagnosed("no resource plugin 'pulumi-resource-aws' found")[0], "plugin/missing");
    assert.equal(diagnosed("IAM Role (arn:aws:iam::2:role/D) cannot be assumed.")[0], "credentials/role-not-assumed");
  });

  it("only what passes by itself is tried again", () => {
    const reason = (text: string) => retryReason({ ok: false, resources: [], findings: [], errors: [text] });
    assert.match(reason("InsufficientEncryptionPolicyException: x") ?? "", /policies/);
    assert.match(reason("api error ThrottlingException: Rate exceeded") ?? "", /throttling/);
    assert.equal(reason("TrailAlreadyExistsException: crosstrail"), undefined);
    assert.equal(reason("AccessDeniedException: no"), undefined);
  });
});

describe("selectors read back", () => {
  const wanted = (more: object = {}) => ({
    ...parseSettings("m", { role: "audit", auditAccountId: "111111111111", bucketName: "example-logs" }, "eu-central-1")
      .trailOptions,
    ...more,
  });
  const archive = { partition: "aws", bucketArn: "arn:aws:s3:::example-logs" };
  const difference = (options: EventChoice, found: DeployedSelectors) => selectorDifference(options, archive, found);
  const all = { ReadWriteType: "All" as const, IncludeManagementEvents: true, DataResources: [] };
  const none = { basic: [], advanced: [], insights: [] };

  it("nothing configured means all management events, in whichever form", () => {
    const management = { FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] };
    assert.equal(difference(wanted(), { ...none, basic: [all] }), undefined);
    assert.equal(difference(wanted(), { ...none, advanced: [management] }), undefined);
    assert.equal(difference(wanted(), none), undefined);
  });

  it("management events switched off look like the default to the provider, and not here", () => {
    const off = { ...all, IncludeManagementEvents: false };
    assert.match(difference(wanted(), { ...none, basic: [off] }) ?? "", /are none, but should be/);
  });

  it("selectors that were reset are noticed; their order is not looked at", () => {
    const advancedEventSelectors = [
      { name: "a", fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] },
      {
        fieldSelectors: [
          { field: "eventCategory", equals: ["Data"] },
          { field: "resources.type", equals: ["AWS::S3::Object"] },
        ],
      },
    ];
    const deployed = advancedEventSelectors.map(({ fieldSelectors }) => ({
      FieldSelectors: fieldSelectors.map(({ field, equals }) => ({ Field: field, Equals: equals })).reverse(),
    }));
    const options = wanted({ advancedEventSelectors });
    assert.equal(difference(options, { ...none, advanced: deployed.reverse() }), undefined);
    assert.match(
      difference(options, { ...none, basic: [all] }) ?? "",
      /are \[.*Management.*should be .*AWS::S3::Object/,
    );
    assert.match(difference(options, { ...none, advanced: deployed.slice(1) }) ?? "", /AWS::S3::Object/);
  });

  it("presets and basic selectors are the advanced ones that they amount to", () => {
    const management = { FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] };
    const objects = {
      FieldSelectors: [
        { Field: "eventCategory", Equals: ["Data"] },
        { Field: "resources.type", Equals: ["AWS::S3::Object"] },
        { Field: "resources.ARN", NotStartsWith: ["arn:aws:s3:::example-logs/"] },
      ],
    };
    const presets = wanted({ events: ["management", "s3-data-events"] });
    assert.equal(difference(presets, { ...none, advanced: [objects, management] }), undefined);
    assert.match(difference(presets, { ...none, advanced: [management] }) ?? "", /AWS::S3::Object/);
    const writes = wanted({ eventSelectors: [{ readWriteType: "WriteOnly" }] });
    assert.equal(difference(writes, { ...none, basic: [{ ...all, ReadWriteType: "WriteOnly" }] }), undefined);
    assert.match(difference(writes, { ...none, basic: [all] }) ?? "", /readOnly/);
  });

  it("Insights that were switched off are noticed", () => {
    const options = wanted({ insightTypes: ["ApiCallRateInsight"] });
    assert.match(difference(options, { ...none, basic: [all] }) ?? "", /Insights are none/);
  });
});
