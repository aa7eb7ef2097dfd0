import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { destroy, preview, Status, status, up } from "../../automation";
import { apiWords } from "../../automation/api";

describe("automation: the embedding API", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "crosstrail-api-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const run of [up, preview, destroy, status]) {
    for (const by of ["signal", "endNow"]) {
      it(`${run.name}: cancelled by ${by} before it began, it says so as whenever it is cancelled`, async () => {
        const { seconds, ...result } = await run({ projectFolder: folder, [by]: AbortSignal.abort() });
        assert.equal(typeof seconds, "number");
        assert.deepEqual(result, { action: run.name, status: Status.Cancelled, stacks: [], findings: [] });
      });
    }

    it(`${run.name}: its remedies name its options`, async () => {
      await assert.rejects(run({ projectFolder: folder }), (error: Error) => {
        assert.doesNotMatch(error.message, /--[a-z]/);
        assert.match(error.message, /name the folder with projectFolder/);
        return true;
      });
    });
  }

  for (const [text, expected] of [
    [
      "Run crosstrail up, or crosstrail up --only <stack...> for selected stacks.",
      "Run up(), or up({ only: [<stack...>] }) for selected stacks.",
    ],
    ["crosstrail up --refresh --only web", 'up({ refresh: true, only: ["web"] })'],
    [
      "Run crosstrail up --only <audit stack>, then rerun this command.",
      "Run up({ only: [<audit stack>] }), then rerun this command.",
    ],
    ["If they are to go: crosstrail up --remove-members 3", "If they are to go: up({ removeMembers: 3 })"],
    ["crosstrail up --only member-3 member-7", 'up({ only: ["member-3", "member-7"] })'],
    ["Remove --failed.", "Remove failed."],
    ["with a longer --timeout if needed", "with a longer timeoutSeconds if needed"],
    ["use a smaller --parallel.", "use a smaller parallel."],
    ["--delete-archive logs", "deleteArchive logs"],
    ["Leave the option out, or add audit to --only.", "Leave the option out, or add audit to only."],
    ["aws kms describe-key --key-id x", "aws kms describe-key --key-id x"],
    ["crosstrail migrate --resume --yes", "crosstrail migrate --resume --yes"],
    ["pulumi destroy --run-program -s <its stack>", "pulumi destroy --run-program -s <its stack>"],
    ["crosstrail destroy without --only to destroy them first", "destroy() without only to destroy them first"],
  ] as const) {
    it(`has its own words for: ${text}`, () => assert.equal(apiWords(text), expected));
  }
});
