/** JSON texts as somebody else wrote them: the space between their tokens may change, the tokens never do. */

/** The tokens of a valid JSON text, as they are written. */
function* tokens(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const start = at;
    const char = text.charAt(at++);
    if (" \t\n\r".includes(char)) continue;
    if (char === '"') {
      while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
      at++;
    } else if (!"{}[],:".includes(char)) {
      while (at < text.length && !' \t\n\r{}[],:"'.includes(text.charAt(at))) at++;
    }
    yield text.slice(start, at);
  }
}

/** By how much a token changes the depth. */
const step = (token: string | undefined): number =>
  token === "{" || token === "[" ? 1 : token === "}" || token === "]" ? -1 : 0;

/** How deeply brackets are nested. The text must be valid JSON. Does not recurse, as what reads JSON's values does. */
export function nestingOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const token of tokens(text)) {
    depth += step(token);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** The text without space between its tokens, or on lines indented by so many spaces. */
export function respace(text: string, indent = 0): string {
  const out: string[] = [];
  let depth = 0;
  let opened = false;
  const newLine = () => (indent === 0 ? "" : `\n${" ".repeat(indent * depth)}`);
  for (const token of tokens(text)) {
    const change = step(token);
    if (change < 0) depth--;
    // An empty object or list stays on its line.
    if (change < 0 ? !opened : opened) out.push(newLine());
    out.push(token);
    if (change > 0) depth++;
    if (token === ",") out.push(newLine());
    if (token === ":" && indent > 0) out.push(" ");
    opened = change > 0;
  }
  return out.join("");
}

/** A policy's text, minified and cut into its statements and what stands around them. */
export interface StatementTexts {
  before: string;
  statements: string[];
  after: string;
  /** False for a policy whose `Statement` is one statement and not a list. */
  isList: boolean;
}

/** Cuts a policy. The text must be valid JSON: an object that has `Statement` once. */
export function cut(text: string): StatementTexts {
  const all = [...tokens(text)];
  let depth = 0;
  let start = 0;
  for (; start < all.length; start++) {
    const token = all[start] as string;
    if (depth === 1 && all[start + 1] === ":" && JSON.parse(token) === "Statement") break;
    depth += step(token);
  }
  start += 2;
  const isList = all[start] === "[";
  const statements: string[] = [];
  let statement: string[] = [];
  let end = isList ? start + 1 : start;
  depth = 0;
  for (; end < all.length; end++) {
    const token = all[end] as string;
    if (depth === 0 && (token === "," || step(token) < 0)) {
      if (statement.length > 0) statements.push(statement.join(""));
      statement = [];
      if (token === "," && isList) continue;
      break;
    }
    depth += step(token);
    statement.push(token);
  }
  return {
    before: all.slice(0, start).join(""),
    statements,
    after: all.slice(isList ? end + 1 : end).join(""),
    isList,
  };
}
