// Finds a Terraform AWS provider on this machine, for the AWS plugin that is built where Pulumi's cannot be downloaded.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { compare, parseVersion } from "./versions";

export interface TerraformProvider {
  path: string;
  version: string;
}

/** Where Terraform itself looks for providers, then the folders under /opt. */
export function searchPath(env: NodeJS.ProcessEnv = process.env, home = os.homedir(), opt = "/opt"): string[] {
  const folders = [
    ...(env.TF_PLUGIN_CACHE_DIR ? [env.TF_PLUGIN_CACHE_DIR] : []),
    path.join(home, ".terraform.d", "plugins"),
    path.join(home, ".terraform.d", "plugin-cache"),
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
  ];
  return [...folders, ...list(opt).map((name) => path.join(opt, name))];
}

/** The newest provider of the first folder that has one; its resources must be those that @pulumi/aws 7 was made from. */
export function findTerraformProvider(folders = searchPath()): TerraformProvider | undefined {
  const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
  for (const folder of folders) {
    const aws = path.join(folder, "registry.terraform.io", "hashicorp", "aws");
    const found = list(aws)
      .flatMap((version) => {
        const parsed = parseVersion(version);
        if (!parsed || compare(parsed, [5, 80, 0]) < 0 || compare(parsed, [7, 0, 0]) >= 0) return [];
        const inside = path.join(aws, version, platform);
        const binary = list(inside).find((name) => /^terraform-provider-aws(_v[^/]*)?$/.test(name));
        return binary ? [{ version, parsed, path: fs.realpathSync(path.join(inside, binary)) }] : [];
      })
      .sort((a, b) => compare(b.parsed, a.parsed))[0];
    if (found) return { version: found.version, path: found.path };
  }
  return undefined;
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return [];
  }
}
