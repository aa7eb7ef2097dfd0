import assert from "node:assert/strict";
import fc from "fast-check";
import { type AccessChange, type PreviewedResource, report, type ReportInput } from "../../../automation/report";
import { commentLimit } from "../../../automation/report/markdown";
import { style } from "../../../automation/report/style";
import { html, markdown, markdownCode } from "../../../automation/report/text";
import { builtPolicies, fleetOfSettings } from "../../../core/simulate";
import { serialize } from "../../../core/policies/document";
import { auditConfig } from "../../../sandbox/accounts";
import { crosstrail } from "../../support/cli";
import { read } from "../../support/config";
import { recordedPreview, settingsOf } from "../../support/preview";

type Row = [change: string, what: string, accounts: string, verdict: string];
const rows = (access: AccessChange[]): Row[] =>
  access.map(({ change, what, who, everywhere, verdict }) => [
    change,
    what,
    everywhere ? "all" : who.map(({ alias }) => alias).join(),
    verdict,
  ]);

/** The recorded preview with something else in it. */
function changed(change: (input: ReportInput) => void): ReportInput {
  const input = recordedPreview();
  change(input);
  return input;
}

function resource(input: ReportInput, stack: string, type: RegExp): PreviewedResource {
  const found = input.stacks.find((each) => each.stack === stack)?.resources.find((each) => type.test(each.type));
  assert.ok(found, `${stack}: ${type}`);
  return found;
}

const bucketPolicy = (input: ReportInput) => resource(input, "audit", /BucketPolicy$/).after as { policy: string };
interface Statement {
  Sid: string;
}
function editBucketPolicy(input: ReportInput, edit: (statements: Statement[]) => Statement[]): void {
  const after = bucketPolicy(input);
  const document = JSON.parse(after.policy) as { Statement: Statement[] };
  after.policy = JSON.stringify({ ...document, Statement: edit(document.Statement) });
}

const ids = (input: ReportInput) => report(input).data.findings.map(({ id, subject }) => `${id} ${subject}`);

describe("the report of a preview", () => {
  const { data, markdown: comment, html: page, json } = report(recordedPreview());

  it("counts what Pulumi counted, without components", () => {
    assert.deepEqual(data.summary, {
      stacks: 4,
      changed: 4,
      unchanged: 0,
      notRun: 0,
      failed: 0,
      create: 3,
      update: 3,
      replace: 0,
      delete: 1,
    });
    assert.match(comment, /^\*\*4 stacks: 4 change\. 3 resources to create, 3 to update, 1 to delete\.\*\*$/m);
  });

  it("says what differs in a resource, but for policies and what is empty", () => {
    const payments = data.accounts.find(({ stack }) => stack === "payments");
    assert.deepEqual(payments?.changes, [
      {
        op: "update",
        type: "aws:cloudtrail/trail:Trail",
        name: "member-trail",
        called: "crosstrail",
        policy: false,
        properties: [
          { path: "eventSelectors[0].dataResources[0].type", after: '"AWS::S3::Object"' },
          { path: "eventSelectors[0].dataResources[0].values[0]", after: '"arn:aws:s3:::card-data/"' },
          { path: "eventSelectors[0].readWriteType", after: '"All"' },
          { path: "insightSelectors[0].insightType", after: '"ApiCallRateInsight"' },
          { path: "tags.cost-center", after: '"4711"' },
        ],
      },
    ]);
    const audit = data.accounts.find(({ stack }) => stack === "audit");
    const key = audit?.changes.find(({ name }) => name === "audit-key");
    assert.deepEqual([key?.policy, key?.properties], [true, []]);
  });

  it("compares policies statement by statement", () => {
    assert.deepEqual(
      data.policies.map(({ title, diff }) => [title, diff?.changes.map(({ kind, name }) => `${kind} ${name}`)]),
      [
        [
          "Bucket policy of crosstrail-example-logs",
          [
            "changed CloudTrailAclCheck",
            "added CloudTrailWrite444444444444",
            "added MembersListOwnLogs",
            "added MembersReadOwnLogs",
            "added DenyLogAccessWithoutMfa",
            "removed CloudTrailWrite333333333333",
          ],
        ],
        ["Key policy", ["changed CloudTrailEncrypt", "changed CloudTrailDescribeKey", "added MembersDecryptOwnLogs"]],
        [
          "Permissions of role SecurityReader",
          ["added LocateBucket", "added ListLogs", "added ReadLogs", "added DecryptLogs"],
        ],
        ["Trust policy of role SecurityReader", ["added TrustedAccountsAssume"]],
      ],
    );
    assert.match(comment, /^\+ {5}Condition StringEquals aws:SourceArn: arn:aws:cloudtrail:us-east-1:4{12}:trail/m);
  });

  it("asks the simulation who gains and who loses access, also of accounts that leave", () => {
    assert.deepEqual(rows(data.access), [
      ["gains", "A trail of the fleet delivers its logs", "data-lake", "intended"],
      ["loses", "A trail of the fleet delivers its logs", "web", "intended"],
      ["gains", "A member with memberAccess reads its own logs", "payments", "intended"],
      ["loses", "Logs are read or deleted without MFA although it is required", "all", "intended"],
      ["gains", "Users of the account can assume the role SecurityReader", "555555555555", "intended"],
    ]);
  });

  it("knows what costs money", () => {
    assert.deepEqual(
      data.costs.map(({ title, who }) => [title, who.map(({ alias }) => alias).join()]),
      [
        ["A new trail", "data-lake"],
        ["Data events", "payments"],
        ["Insights", "payments"],
      ],
    );
    const twice = report(
      changed(({ fleet }) => {
        const own = fleet?.trails.find(({ alias }) => alias === "data-lake");
        assert.ok(fleet && own);
        fleet.trails.push({ ...own, trail: { ...own.trail, name: "older" }, isPrevious: true });
      }),
    );
    assert.deepEqual(
      twice.data.costs.map(({ title }) => title),
      ["A second copy of management events", "Data events", "Insights"],
    );
    const known = report(
      changed((input) =>
        Object.assign(resource(input, "payments", /Trail$/).after ?? {}, resource(input, "payments", /Trail$/).before),
      ),
    );
    assert.deepEqual(
      known.data.costs.map(({ title }) => title),
      ["A new trail"],
    );
  });

  it("knows which advanced selectors, and what else of a trail, cost money", () => {
    const select = (category: string) => ({ fieldSelectors: [{ field: "eventCategory", equals: [category] }] });
    const titles = (after: Record<string, unknown>, before: Record<string, unknown> = {}) => {
      const input = changed((each) => {
        each.stacks = each.stacks.filter(({ stack }) => stack === "payments");
        Object.assign(resource(each, "payments", /Trail$/), { before, after });
      });
      return report(input).data.costs.map(({ title }) => title);
    };
    const [management, data, network] = ["Management", "Data", "NetworkActivity"].map(select);
    assert.deepEqual(titles({ advancedEventSelectors: [management] }), []);
    assert.deepEqual(titles({ advancedEventSelectors: [management, data, network] }), [
      "Data events",
      "Network activity events",
    ]);
    assert.deepEqual(titles({ advancedEventSelectors: [data] }, { advancedEventSelectors: [data, network] }), []);
    assert.deepEqual(titles({ cloudWatchLogsGroupArn: "arn" }), ["Delivery to CloudWatch Logs"]);
    assert.deepEqual(titles({}, { cloudWatchLogsGroupArn: "arn", advancedEventSelectors: [data] }), []);
  });

  it("warns of a trail that goes", () => {
    assert.deepEqual(ids(recordedPreview()), [
      "preview/trail-gone web (333333333333): aws:cloudtrail/trail:Trail crosstrail",
    ]);
  });

  it("warns of access that should not be, and of access that should", () => {
    const opened = changed((input) =>
      editBucketPolicy(input, (all) => [
        ...all.filter(({ Sid }) => Sid !== "DenyInsecureTransport"),
        {
          Sid: "Public",
          Effect: "Allow",
          Principal: "*",
          Action: "s3:*",
          Resource: "arn:aws:s3:::crosstrail-example-logs/*",
        } as Statement,
      ]),
    );
    const wrong = report(opened).data.access.filter(({ verdict }) => verdict === "wrong");
    assert.ok(
      wrong.some(({ change, what }) => change === "gains" && /outside the fleet/.test(what)),
      JSON.stringify(rows(wrong)),
    );
    assert.ok(ids(opened).some((each) => /^preview\/access-opened .*outside the fleet/.test(each)));
    assert.match(report(opened).markdown, /\*\*this should not be\*\*/);

    const lost = changed((input) =>
      editBucketPolicy(input, (all) => all.filter(({ Sid }) => Sid !== "CloudTrailWrite222222222222")),
    );
    assert.deepEqual(ids(lost).slice(0, 1), [
      "preview/access-lost payments (222222222222): A trail of the fleet delivers its logs",
    ]);
  });

  it("tells what a looser form can no longer tie as such, not as a mistake", () => {
    const settings = settingsOf({ ...auditConfig(), "crosstrail:bucketPolicyForm": "accountList" });
    const fleet = fleetOfSettings(settings);
    const [before, after] = [{}, { bucket: settings.bucketPolicyForm }].map(
      (forms) => builtPolicies(fleet, forms).bucket,
    );
    const input = changed((each) => {
      Object.assign(each, { fleet, forms: { bucket: settings.bucketPolicyForm } });
      const [audit] = each.stacks;
      assert.ok(audit);
      const policy = resource(each, "audit", /BucketPolicy$/);
      audit.resources = [
        { ...policy, before: { policy: serialize(before as never) }, after: { policy: serialize(after as never) } },
      ];
      each.stacks = [audit];
    });
    const { access, findings } = report(input).data;
    assert.deepEqual(
      access.map(({ change, verdict, everywhere }) => [change, verdict, everywhere]),
      access.map(() => ["gains", "notTied", true]),
    );
    assert.ok(access.length > 0);
    assert.deepEqual(findings, []);
  });

  it("warns of what takes logs along, what guards them, and what a trail would no longer record", () => {
    const urn = "urn:pulumi:audit::crosstrail::x::y";
    const one = (op: string, type: string, before = {}, after = {}): ReportInput => ({
      findings: [],
      stacks: [
        {
          stack: "audit",
          kind: "audit",
          accountId: "111111111111",
          status: "succeeded",
          findings: [],
          resources: [{ urn, type, name: "y", op, before, after }],
        },
      ],
    });
    const first = (input: ReportInput) => ids(input)[0]?.split(" ")[0];
    for (const op of ["delete", "replace"]) {
      assert.equal(first(one(op, "aws:s3/bucket:Bucket")), "preview/archive-lost");
      assert.equal(first(one(op, "aws:kms/key:Key")), "preview/archive-lost");
      assert.equal(first(one(op, "aws:s3/bucketVersioning:BucketVersioning")), "preview/guard-lost");
      assert.equal(first(one(op, "aws:s3/bucketPolicy:BucketPolicy")), "preview/guard-lost");
      assert.equal(first(one(op, "aws:cloudtrail/trail:Trail")), "preview/trail-gone");
    }
    const ofOrganization = one("delete", "aws:cloudtrail/trail:Trail");
    for (const stack of ofOrganization.stacks) stack.kind = "management";
    assert.match(report(ofOrganization).data.findings[0]?.message ?? "", /in every account of the organization/);
    for (const property of [
      "enableLogging",
      "enableLogFileValidation",
      "isMultiRegionTrail",
      "includeGlobalServiceEvents",
    ]) {
      const trail = (before: boolean, after: boolean) =>
        one("update", "aws:cloudtrail/trail:Trail", { [property]: before }, { [property]: after });
      assert.equal(first(trail(true, false)), "preview/trail-weakened", property);
      assert.equal(first(trail(false, true)), undefined, property);
    }
    assert.equal(first(one("update", "aws:s3/bucket:Bucket")), undefined);
  });

  it("counts a replacement once, in whatever steps the engine tells it", () => {
    const input = changed((each) => {
      const trail = resource(each, "payments", /Trail$/);
      const payments = each.stacks.find(({ stack }) => stack === "payments");
      assert.ok(payments);
      payments.resources = ["create-replacement", "replace", "delete-replaced"].map((op) => ({ ...trail, op }));
    });
    const { summary } = report(input).data;
    assert.deepEqual([summary.replace, summary.update], [1, 2]);
  });

  it("says so when it does not know", () => {
    const unknown = changed((input) => (bucketPolicy(input).policy = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"));
    const { accessUnknown, policies } = report(unknown).data;
    assert.equal(accessUnknown, "A policy contains values known only after the deployment.");
    assert.equal(policies[0]?.diff, undefined);
    assert.match(
      report(unknown).markdown,
      /Bucket policy of crosstrail-example-logs\*\*: known only after the deployment/,
    );

    const failed = changed(({ stacks: [audit] }) => {
      Object.assign(audit as object, {
        status: "failed",
        resources: [],
        findings: [
          { id: "stack/x", severity: "error", subject: "audit", message: "No credentials.", remedy: "Log in." },
        ],
      });
    });
    const result = report(failed);
    assert.equal(result.data.accessUnknown, "The audit stack, which has the policies, has no preview.");
    assert.deepEqual([result.data.summary.failed, result.data.summary.changed], [1, 3]);
    for (const text of [result.markdown, result.html]) {
      assert.match(text, /the preview failed/);
      assert.match(text, /No credentials\./);
    }
  });

  it("a new archive gives access to all that may have it, and to nobody else", () => {
    const input = changed(({ fleet, stacks: [audit] }) => {
      assert.ok(fleet && audit);
      audit.resources = audit.resources.map(({ before: _, ...each }) => ({ ...each, op: "create" }));
    });
    const { access, costs } = report(input).data;
    assert.ok(
      access.every(({ change, verdict }) => change === "gains" && verdict === "intended"),
      JSON.stringify(rows(access)),
    );
    assert.deepEqual(rows(access)[0], [
      "gains",
      "A trail of the fleet delivers its logs",
      "audit,payments,data-lake",
      "intended",
    ]);
    assert.ok(costs.some(({ title }) => title === "A KMS key"));
  });

  it("without changes is short and says so", () => {
    const input = changed(({ stacks }) => stacks.forEach((stack) => (stack.resources = [])));
    const result = report(input);
    assert.match(result.markdown, /^\*\*4 stacks: 4 unchanged\.\*\*$/m);
    assert.ok(result.markdown.length < 200, result.markdown);
    assert.match(result.html, /Without changes:/);
  });

  it("is JSON for scripts", () => {
    assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(data)));
    assert.equal(data.schemaVersion, 1);
  });

  it("tells a few findings of a kind in full and folds the others, so that they do not hide another kind", () => {
    const many = changed((input) => {
      input.findings = [
        ...Array.from({ length: 40 }, (_, index) => ({
          id: "stack/failed" as const,
          severity: "error" as const,
          subject: `member-${index}`,
          message: `Message ${index}.`,
          remedy: "r",
        })),
        { id: "stack/missing", severity: "error", subject: "audit", message: "The only one.", remedy: "r" },
      ];
    });
    const made = report(many);
    assert.equal(made.markdown.match(/Message \d+\./g)?.length, 5);
    assert.match(made.markdown, /35 more of type <code>stack\/failed<\/code>: member-5; .*member-24, and 15 others$/m);
    assert.ok(made.markdown.includes("The only one."));
    assert.match(made.html, /<details class="rest"><summary>35 more of type <code>stack\/failed<\/code>/);
    for (let index = 0; index < 40; index++) assert.ok(made.html.includes(`Message ${index}.`));
  });

  describe("as a comment", () => {
    it("begins with a constant marker, whatever the accounts are called", () => {
      assert.equal(comment.split("\n")[0], "<!-- crosstrail-preview -->");
      const odd = changed(({ stacks: [audit] }) => ((audit as { accountId: string }).accountId = "--> @team"));
      assert.equal(report(odd).markdown.split("\n")[0], "<!-- crosstrail-preview -->");
    });

    it("stays within GitHub's limit, keeps every section, and says whose details are left out", () => {
      const big = changed((input) => {
        const template = input.stacks.find(({ stack }) => stack === "data-lake");
        const web = input.stacks.find(({ stack }) => stack === "web");
        assert.ok(template && web);
        for (let index = 0; index < 200; index++) {
          const same = index % 10 ? template : web;
          input.stacks.push({
            ...same,
            // Half of them differ from each other, and the others can be told together.
            resources: same.resources.map((each) => (index % 2 ? each : { ...each, name: `${each.name}-${index}` })),
            stack: `member-${index}`,
            accountId: String(500000000000 + index),
            findings: [
              { id: "stack/failed", severity: "warning", subject: `m${index}`, message: "<".repeat(900), remedy: "r" },
            ],
          });
        }
        const payments = resource(input, "payments", /Trail$/);
        payments.after = {
          ...payments.after,
          tags: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`tag${i}`, "v".repeat(100)])),
        };
      });
      const made = report(big);
      const bytes = Buffer.byteLength(made.markdown);
      assert.ok(bytes <= commentLimit, `${bytes} bytes`);
      assert.ok(bytes > commentLimit * 0.6, `${bytes} bytes`);
      assert.match(made.markdown, /These details are only in the HTML report: .*<code>payments<\/code>/);
      assert.match(made.markdown, /…and \d+ more; see the HTML report for all of them\./);
      for (const title of ["Review first", "Who gains and loses access", "What changes", "Costs to know about"]) {
        assert.ok(made.markdown.includes(`### ${title}`), title);
      }
      const times = (pattern: RegExp) => made.markdown.match(pattern)?.length;
      assert.equal(times(/<details>/g), times(/<\/details>/g));
      assert.equal((times(/^```/gm) ?? 1) % 2, 0);
      assert.ok(made.html.includes("member-199") && made.html.includes("tag399"));
    });
  });

  it("is asked for in a way that can be printed, or refused before anything is done", async () => {
    for (const [args, message] of [
      [["--report-folder", "x"], "--report-folder needs --report."],
      [["--report", "html", "json"], "--report prints only one format."],
      [["--report", "html", "--json"], "--json and --report cannot both print to stdout."],
      [["--report", "pdf"], "Allowed choices are markdown, html, json."],
    ] as const) {
      const { exitCode, stdout, stderr } = await crosstrail(["preview", ...args]);
      assert.equal(exitCode, 2, stderr);
      assert.ok(`${stdout}${stderr}`.includes(message), stdout + stderr);
    }
  });

  it("is what docs/pull-requests.md shows", () => {
    const shown = read("docs/pull-requests.md").split(/<!-- (?:begin|end) excerpt -->/)[1] ?? "";
    const lines = shown.split("\n").filter((line) => line !== "");
    assert.ok(lines.length > 30);
    const made = comment.replace(/^###/gm, "####");
    assert.deepEqual(
      lines.filter((line) => !made.includes(line)),
      [],
    );
  });

  describe("as a page", () => {
    it("is one file without scripts, in light and dark", () => {
      assert.match(page, /^<!doctype html>\n<html lang="en">/);
      assert.match(
        page,
        /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/,
      );
      assert.match(page, /@media \(prefers-color-scheme: dark\)/);
      assert.doesNotMatch(page, /<script|<link|<img|<iframe|@import|url\(|\ssrc=|\son\w+=/i);
    });

    it("can be read by those who see contrasts badly: every text has the 4.5 to 1 of WCAG AA, in light and dark", () => {
      const schemes = [...style.matchAll(/:root \{([^}]*)\}/g)].map(
        ([, block = ""]) =>
          new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value])),
      );
      assert.equal(schemes.length, 2);
      // Each text with all that it stands on.
      const kinds = ["create", "update", "delete", "replace"];
      const pairs = [
        ...["text", "quiet", "link"].flatMap((text) => ["page", "card", "code"].map((ground) => [text, ground])),
        ...["text", "quiet"].flatMap((text) => ["create-bg", "delete-bg"].map((ground) => [text, ground])),
        ...kinds.flatMap((kind) => [
          [kind, "card"],
          [kind, `${kind}-bg`],
        ]),
      ] as [string, string][];
      for (const colors of schemes) {
        const luminance = (name: string) => {
          const hex = colors.get(name) ?? assert.fail(name);
          const [red, green, blue] = [1, 3, 5].map((at) => {
            const share = parseInt(hex.slice(at, at + 2), 16) / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
          }) as [number, number, number];
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        for (const [text, ground] of pairs) {
          const [dark, light] = [luminance(text), luminance(ground)].sort((a, b) => a - b) as [number, number];
          const contrast = (light + 0.05) / (dark + 0.05);
          assert.ok(contrast >= 4.5, `${text} on ${ground}: ${contrast.toFixed(2)}`);
        }
      }
      // And there are no other colors.
      assert.doesNotMatch(style.replace(/:root \{[^}]*\}/g, ""), /#[0-9a-f]{3,8}\b|rgb|hsl/i);
    });

    it("folds away what goes on for hundreds of lines, and nothing of it is left out", () => {
      const long = changed((input) =>
        editBucketPolicy(input, (all) => [
          ...all,
          {
            Sid: "Long",
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::111111111111:root" },
            Action: "s3:GetObject",
            Resource: Array.from({ length: 200 }, (_, index) => `arn:aws:s3:::b/${index}`),
          } as Statement,
        ]),
      );
      const [, statement = ""] = /Long <code>[^]*?<div class="diff">([^]*?)<\/details>/.exec(report(long).html) ?? [];
      const [shown, folded] = statement.split(/<details class="fold"><summary>(?:\d+) more lines<\/summary>/);
      assert.equal(shown?.match(/class="plus"/g)?.length, 30);
      // Its principal, its action and its resources.
      assert.equal(folded?.match(/class="plus"/g)?.length, 202 - 30);
      assert.ok(folded?.includes("arn:aws:s3:::b/199"));
    });

    it("has balanced tags and a place for every link of its own", () => {
      const open: string[] = [];
      for (const [, end, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
        if (name === "meta" || name === "br") continue;
        if (end) assert.equal(open.pop(), name);
        else open.push(name as string);
      }
      assert.deepEqual(open, []);
      for (const [, id] of page.matchAll(/href="#(\w+)"/g)) assert.ok(page.includes(`id="${id}"`), id);
    });
  });

  describe("takes nothing from elsewhere for markup", () => {
    const hostile = [
      "@acme/security-team #1 GH-2 https://evil.example/x www.evil.example",
      "<img src=x onerror=alert(1)> <!-- --> --> </code></details></summary>",
      "| a | b |\n```\n</details>\n# heading\n- [x] ![i](http://e/i) `c` **b** $m$",
      "\u202egnp.exe \u001b[31m \u200b",
      '"><script>alert(1)</script>',
    ].join(" ");

    it("neither in names, tags, policies nor messages", () => {
      const finding = {
        id: "stack/failed" as const,
        severity: "error" as const,
        subject: hostile,
        message: hostile,
        remedy: hostile,
      };
      const input = changed((each) => {
        for (const stack of each.stacks) {
          if (stack.kind === "member") stack.stack = `${hostile}${stack.accountId}`;
          stack.findings = [finding];
        }
        for (const trail of each.fleet?.trails ?? []) trail.alias = hostile;
        const trail = each.stacks.flatMap(({ resources }) => resources).find(({ type }) => /Trail$/.test(type));
        assert.ok(trail?.after);
        trail.name = hostile;
        trail.type = `aws:${hostile}`;
        trail.after = { name: hostile, tags: { [hostile]: hostile } };
        editBucketPolicy(each, (all) => [...all, { Sid: hostile, Action: hostile, [hostile]: hostile } as Statement]);
        each.findings = [{ ...finding, id: hostile as never, severity: "info" }];
      });
      const made = report(input);
      assert.doesNotMatch(made.html, /<img|<script|\u202e|\u001b|\u200b/);
      assert.doesNotMatch(made.markdown, /\u202e|\u001b|\u200b/);
      // Outside of blocks of code no mention is left, and the blocks end where they should.
      const outside = made.markdown.replace(/^(`{3,})diff\n[^]*?\n\1$/gm, "");
      assert.doesNotMatch(outside, /[@`$]|<img|<script|\]\(http:|https:\/\/evil|www\.evil|^# /m);
      assert.equal(outside.match(/<!--/g)?.length, 1);
      assert.equal(outside.match(/<details>/g)?.length, outside.match(/<\/details>/g)?.length);
      for (const line of outside.split("\n").filter((each) => each.startsWith("| "))) {
        assert.ok([3, 4].includes(line.match(/\|/g)?.length ?? 0), line);
      }
    });

    it("whatever text it is", () => {
      const odd = fc.oneof(
        // Every code point there is, half pairs as well; fast-check's own unit for that first lists all of them.
        fc.array(fc.nat(0x10ffff), { maxLength: 40 }).map((points) => String.fromCodePoint(...points)),
        fc.string({ unit: fc.constantFrom(..."@#<>&`*|[]()!\n\r\u2028-+=~_\\a1:/.w") }),
      );
      fc.assert(
        fc.property(odd, (text) => {
          assert.doesNotMatch(html(text), /[<>"'`\n\r]|&(?!#\d+;)/);
          // Entities aside, nothing is left that Markdown, HTML or GitHub reads in a special way.
          const left = markdown(text).replace(/&#\d+;/g, "");
          assert.doesNotMatch(left, /[<>&"'`*_~[\](){}|\\!$^@#\n\r\u2028]/);
          assert.doesNotMatch(markdown(text), /^[-+=\s]/);
          assert.doesNotMatch(
            markdownCode(text)
              .slice(6, -7)
              .replace(/&#\d+;/g, ""),
            /[^\p{L}\p{N} ,/-]/u,
          );
        }),
      );
    });

    it("and a mention is broken where GitHub would see it", () => {
      assert.equal(markdown("ask @acme/team, see #12"), "ask &#64;&#8203;acme/team, see &#35;&#8203;12");
      assert.equal(markdown("https://a.b www.a.b GH-1"), "https:&#8203;//a.b www&#8203;.a.b GH&#8203;-1");
    });
  });
});
