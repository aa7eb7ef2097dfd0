/** Which program it is: a digest of its files and of the packages that it uses. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What a stack's program consists of; a test holds that these import nothing else. */
const folders = ["core", "components", "programs"];

/**
 * Of the files as they are now: in a clone an edit is another version.
 * @throws the file system's errors when a file cannot be read.
 */
export function programVersion(): string {
  const hash = createHash("sha256");
  const add = (name: string, content: string | Buffer) => {
    hash.update(`${name}\0${content.length}\0`).update(content);
  };
  const root = join(__dirname, "..", "..", "..");
  for (const folder of folders) for (const file of sources(root, folder)) add(file, readFileSync(join(root, file)));
  const own = packageAbove(root);
  const { dependencies = {} } = JSON.parse(readFileSync(own, "utf8")) as { dependencies?: Record<string, string> };
  for (const name of Object.keys(dependencies).sort()) add(name, installedVersion(dirname(own), name));
  // The order of keys and of characters may differ between these, and nothing else that a program uses.
  add("node", process.versions.node.split(".")[0] as string);
  return hash.digest("hex");
}

function sources(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((each) => {
      const path = `${folder}/${each.name}`;
      if (each.isDirectory()) return sources(root, path);
      return /(?<!\.d)\.(ts|js)$/.test(each.name) ? [path] : [];
    });
}

function packageAbove(folder: string): string {
  const file = join(folder, "package.json");
  if (existsSync(file)) return file;
  if (dirname(folder) === folder) throw new Error("no package.json");
  return packageAbove(dirname(folder));
}

/** As Node.js finds it; "" where it is not installed. */
function installedVersion(from: string, name: string): string {
  const file = join(from, "node_modules", name, "package.json");
  if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version ?? "";
  return dirname(from) === from ? "" : installedVersion(dirname(from), name);
}
