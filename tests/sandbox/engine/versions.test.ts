import assert from "node:assert/strict";
import { awsPluginVersion, isSuitable, pulumiVersion } from "../../../sandbox/engine/versions";

describe("choice of the engine's version", () => {
  for (const version of ["v3.244.0", "v3.250.0\n", "3.999.1"]) {
    it(`takes ${JSON.stringify(version)}`, () => assert.equal(isSuitable(version), true));
  }
  for (const version of ["v3.243.9", "v2.999.0", "v4.0.0", "v3.251.0-alpha.1", "v3.250.0+dirty", "", "no version"]) {
    it(`refuses ${JSON.stringify(version)}`, () => assert.equal(isSuitable(version), false));
  }

  it("builds and downloads a version that it would take itself", () => {
    assert.match(pulumiVersion(), /^\d+\.\d+\.\d+$/);
    assert.equal(isSuitable(pulumiVersion()), true);
  });

  it("takes the plugin's version from @pulumi/aws as installed", () =>
    assert.match(awsPluginVersion(), /^7\.\d+\.\d+$/));
});
