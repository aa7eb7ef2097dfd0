import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "./support/config";

/** Source files, or folders of them, whose tests are not at `tests/<path>.test.ts`: where they are, and why. */
const elsewhere: [source: string, tests: string, why: string][] = [
  [
    "automation/archive/",
    "tests/automation/archive/",
    "reading an archive is tested through its one door, archive/index",
  ],
  [
    "automation/logKey.ts",
    "tests/automation/commands/policy.test.ts",
    "policy and simulate ask for the key through it",
  ],
  ["core/nearest.ts", "tests/core/settings/index.test.ts", "names are looked for in settings"],
  ["automation/cases.ts", "tests/automation/cli.test.ts", "cases are files that simulate reads"],
  ["automation/commands/_fleet.ts", "tests/automation/progress.test.ts", "what up, preview, destroy and status print"],
  [
    "automation/commands/_numbers.ts",
    "tests/automation/fleet/limits.test.ts",
    "numbers in options and in the API have the same limits",
  ],
  [
    "automation/commands/destroy.ts",
    "tests/automation/systemFailure.test.ts",
    "the verb only hands its options to the API; tests/engine/fleet.test.ts runs it",
  ],
  ["automation/commands/migrate.ts", "tests/engine/migrate.test.ts", "it needs an engine"],
  ["automation/commands/preview.ts", "tests/engine/report.test.ts", "it needs an engine"],
  [
    "automation/commands/simulate.ts",
    "tests/automation/cli.test.ts",
    "the tests of the command line itself use this verb",
  ],
  ["automation/commands/up.ts", "tests/engine/fleet.test.ts", "it needs an engine"],
  ["automation/context.ts", "tests/automation/cli.test.ts", "an option that several verbs share"],
  ["automation/controls.ts", "tests/automation/cli.test.ts", "an option that several verbs share"],
  ["automation/deployed.ts", "tests/automation/cli.test.ts", "what simulate --deployed and policy --deployed read"],
  [
    "automation/fleet/",
    "tests/automation/fleet/",
    "a run of the fleet is tested whole, with workers that a test plays",
  ],
  ["automation/fleet/worker/", "tests/engine/", "it drives an engine"],
  ["automation/index.ts", "tests/engine/fleet.test.ts", "the embedding API, with an engine"],
  ["automation/mfaDelete.ts", "tests/automation/commands/mfaDelete.test.ts", "the verb of the same name"],
  ["automation/process/", "tests/automation/process/index.test.ts", "processes and their guard are one thing"],
  ["automation/report/", "tests/automation/report/index.test.ts", "a report is tested whole, in each format"],
  ["automation/stackFile.ts", "tests/automation/pulumiProject.test.ts", "stack files are read in their project"],
  ["automation/trails.ts", "tests/engine/adopt.test.ts", "it only asks AWS"],
  [
    "automation/verify/",
    "tests/automation/verify/",
    "a verification is tested whole: what was done to an archive, and what is found",
  ],
  ["bin/", "tests/engine/package.test.ts", "the tool and the library of the packed package"],
  ["components/accessLogBucket.ts", "tests/components/archiveControls.test.ts", "with the log bucket's controls"],
  ["components/errors.ts", "tests/components/auditBucket.test.ts", "how a component refuses its arguments"],
  ["components/eventDataStore.ts", "tests/components/trailDelivery.test.ts", "with the other destinations of events"],
  ["components/guardrail.ts", "tests/programs/management.test.ts", "the program that makes it"],
  ["components/guardedBucket.ts", "tests/components/auditBucket.test.ts", "what both buckets of the archive share"],
  ["components/index.ts", "tests/components/schema.test.ts", "what other languages see"],
  ["components/inputs.ts", "tests/components/auditBucket.test.ts", "how a component checks its arguments"],
  ["components/notificationQueue.ts", "tests/components/archiveControls.test.ts", "with the log bucket's controls"],
  ["components/organizationTrail.ts", "tests/programs/management.test.ts", "the program that makes it"],
  ["components/selectors.ts", "tests/components/memberTrail.test.ts", "arguments of a trail"],
  ["components/trail.ts", "tests/components/memberTrail.test.ts", "what both trails share"],
  ["components/trailLogGroup.ts", "tests/components/trailDelivery.test.ts", "with the other destinations of a trail"],
  ["components/trailTopic.ts", "tests/components/trailDelivery.test.ts", "with the other destinations of a trail"],
  ["core/archivePolicies.ts", "tests/programs/audit.test.ts", "the program deploys what it builds"],
  ["core/delivery.ts", "tests/components/trailDelivery.test.ts", "checks of the components' arguments"],
  ["core/eventDataStore.ts", "tests/components/trailDelivery.test.ts", "checks of the component's arguments"],
  ["core/evaluate/", "tests/core/evaluate/", "the evaluator is tested by IAM's rules, by cases, and against an oracle"],
  ["core/events/", "tests/core/events/index.test.ts", "selectors, limits and notices of one choice"],
  ["core/findings.ts", "tests/findings.test.ts", "the catalog, against all code that writes ids"],
  ["core/fleet/", "tests/core/fleet/fleet.test.ts", "stacks, order and configuration of one fleet"],
  [
    "core/guardrailNames.ts",
    "tests/core/guardrailAttachment.test.ts",
    "names, and what is built and attached from them",
  ],
  ["core/index.ts", "tests/engine/package.test.ts", "what the package exports"],
  ["core/issues.ts", "tests/core/settings/index.test.ts", "how the settings put zod's issues"],
  ["core/leftAsIs.ts", "tests/core/adoption.test.ts", "what of an adopted trail is left to its owner"],
  ["core/logs/", "tests/core/logs/", "digests and chains; tests/automation/verify has whole archives"],
  ["core/placeholders.ts", "tests/core/fleet/fleet.test.ts", "patterns for each member"],
  ["core/policies/", "tests/core/policies/", "documents, and an attack for each part of each statement"],
  ["core/requests/", "tests/core/requests/", "cases and facts of what AWS sends"],
  ["core/roles/", "tests/core/roles/index.test.ts", "the table and the roles made of it"],
  ["core/settings/", "tests/core/settings/", "settings are tested through parseSettings, as a stack is read"],
  ["core/simulate/", "tests/core/simulate/", "questions are tested through simulate"],
  ["core/trailHealth.ts", "tests/automation/commands/status.test.ts", "what status says of a trail"],
  ["index.ts", "tests/engine/foundation.test.ts", "Pulumi runs it"],
  ["programs/", "tests/programs/", "a program is tested whole, by its role"],
  ["sandbox/", "tests/engine/", "it starts engines and emulators: every engine test uses it"],
  ["sandbox/logs/", "tests/sandbox/logs/index.test.ts", "archives are made whole"],
];

const folders = ["automation", "bin", "components", "core", "programs", "sandbox"];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((each) => {
    const path = posix.join(folder, each.name);
    if (each.isDirectory()) return each.name === "node_modules" ? [] : sources(path);
    return /\.(ts|js)$/.test(each.name) ? [path] : [];
  });
}

const mirrored = (file: string) => existsSync(join(root, "tests", file.replace(/\.[jt]s$/, ".test.ts")));
/** The entry that says most about a file. */
const entryOf = (file: string) =>
  elsewhere
    .filter(([source]) => (source.endsWith("/") ? file.startsWith(source) : file === source))
    .sort(([a], [b]) => b.length - a.length)[0];

describe("tests are where one looks for them", () => {
  const files = [...folders.flatMap(sources), "index.ts"];

  it("each source file has its test at tests/<path>.test.ts, or is listed here with a reason", () => {
    const missing = files.filter((file) => !mirrored(file) && !entryOf(file));
    assert.deepEqual(
      missing,
      [],
      "Add tests/<path>.test.ts, or a line to `elsewhere` in tests/mirror.test.ts that says where it is tested.",
    );
  });

  it("each reason is needed, and what it names exists", () => {
    for (const [source, tests, why] of elsewhere) {
      assert.ok(existsSync(join(root, tests)), `${source}: ${tests} does not exist`);
      assert.ok(
        files.some((file) => entryOf(file)?.[0] === source && !mirrored(file)),
        `${source} needs no entry any more (${why}).`,
      );
    }
  });

  it("every test of a folder of the source is below a folder of the same name", () => {
    const tests = folders.flatMap((folder) =>
      existsSync(join(root, "tests", folder)) ? sources(`tests/${folder}`) : [],
    );
    const lost = tests
      .map((test) => posix.dirname(test).replace(/^tests\//, ""))
      .filter((folder) => !existsSync(join(root, folder)));
    assert.deepEqual([...new Set(lost)], []);
  });
});
