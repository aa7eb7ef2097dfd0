import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTerraformProvider, searchPath } from "../../../sandbox/engine/terraformProvider";

const PLATFORM = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;

describe("the search for a Terraform AWS provider", () => {
  let base: string;
  beforeEach(() => (base = realpathSync(mkdtempSync(join(tmpdir(), "crosstrail-mirror-")))));
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  function provide(mirror: string, version: string, platform = PLATFORM): string {
    const folder = join(base, mirror, "registry.terraform.io/hashicorp/aws", version, platform);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "LICENSE.txt"), "");
    const file = join(folder, `terraform-provider-aws_v${version}_x5`);
    writeFileSync(file, "");
    return file;
  }

  it("takes the newest of the first folder that has one", () => {
    provide("a", "5.99.0");
    const path = provide("a", "5.100.0");
    provide("b", "6.2.0");
    const folders = ["empty", "a", "b"].map((name) => join(base, name));
    assert.deepEqual(findTerraformProvider(folders), { version: "5.100.0", path });
  });

  it("leaves versions that @pulumi/aws 7 was not made for, and other platforms", () => {
    provide("a", "4.67.0");
    provide("a", "7.0.0");
    provide("a", "5.100.0", "plan9_mips");
    assert.equal(findTerraformProvider([join(base, "a")]), undefined);
  });

  it("looks where Terraform does, then under /opt", () => {
    mkdirSync(join(base, "opt/mirror"), { recursive: true });
    const path = searchPath({ TF_PLUGIN_CACHE_DIR: "/cache" }, "/home/me", join(base, "opt"));
    assert.deepEqual(path, [
      "/cache",
      "/home/me/.terraform.d/plugins",
      "/home/me/.terraform.d/plugin-cache",
      "/usr/local/share/terraform/plugins",
      "/usr/share/terraform/plugins",
      join(base, "opt/mirror"),
    ]);
  });
});
