import assert from "node:assert/strict";
import { parseSettings, type AuditSettings } from "../../../core/settings";
import { builtPolicies, fleetOfSettings, stoppedByControls } from "../../../core/simulate";

const settings = parseSettings(
  "audit",
  {
    role: "audit",
    auditAccountId: "111111111111",
    bucketName: "acme-trail-archive",
    organization: JSON.stringify({ id: "o-exampleorg1", managementAccountId: "555555555555", trailName: "acme-org" }),
    members: JSON.stringify([
      { accountId: "222222222222", alias: "payments" },
      { accountId: "333333333333", alias: "partner", inOrganization: false },
    ]),
  },
  "us-east-1",
) as AuditSettings;
const fleet = fleetOfSettings(settings);
const policies = builtPolicies(fleet);

/** Keeps services from acting for accounts outside the organization, as data perimeters do. */
const perimeter = (exempt: string[] = []) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "OnlyForTheOrganization",
      Effect: "Deny" as const,
      Principal: "*" as const,
      Action: "s3:*",
      Resource: "*",
      Condition: {
        StringNotEqualsIfExists: {
          "aws:SourceOrgID": "o-exampleorg1",
          ...(exempt.length > 0 && { "aws:SourceAccount": exempt }),
        },
        Null: { "aws:SourceAccount": "false" },
        Bool: { "aws:PrincipalIsAWSService": "true" },
      },
    },
  ],
});
const stopped = (...rcps: object[]) =>
  stoppedByControls(fleet, policies, {
    rcps: rcps.map((each) => JSON.stringify(each)),
    scps: [],
    managementAccountId: "555555555555",
  });

describe("trails and the organization's resource control policies", () => {
  it("names the trail of an account outside the organization, and no other", () => {
    const findings = stopped(perimeter());
    assert.deepEqual(
      findings.map(({ id, subject }) => [id, subject.split(":")[0]]),
      [["preview/rcp-stops-trail", "partner 333333333333"]],
    );
    assert.match(
      findings[0]?.message ?? "",
      /would stop this trail's delivery\. The account is outside the organization\./,
    );
    assert.match(findings[0]?.remedy ?? "", /"333333333333"/);
  });

  it("finds nothing where that account is exempt, or where no policy is given", () => {
    assert.deepEqual(stopped(perimeter(["333333333333"])), []);
    assert.deepEqual(stopped(), []);
  });

  it("names every trail that a policy for all would stop", () => {
    const all = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: "*" }],
    };
    const accounts = stopped(all).map(({ subject }) => subject.split(":")[0]);
    assert.ok(
      accounts.some((each) => each?.startsWith("payments")) && accounts.some((each) => each?.startsWith("partner")),
    );
  });
});
