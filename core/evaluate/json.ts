/** What reading a policy's text gives: its value, or what is wrong with the text. */
export type ParsedText = { value: unknown } | { problem: "syntax" | "duplicateKey"; detail: string };

/**
 * Reads JSON, and refuses an object that has the same key twice: JSON.parse keeps the last one without a word, so a
 * condition could vanish. Neither part recurses, so nesting of any depth is read.
 */
export function parseJson(text: string): ParsedText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: "syntax", detail: error instanceof Error ? error.message : String(error) };
  }
  const twice = findDuplicateKey(text);
  return twice === undefined ? { value } : { problem: "duplicateKey", detail: twice };
}

/** The first key that occurs twice in one object. The text must be valid JSON. */
function findDuplicateKey(text: string): string | undefined {
  // One entry per open bracket: the keys of an object, nothing for a list.
  const open: (Set<string> | undefined)[] = [];
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case "{":
        open.push(new Set());
        expectKey = true;
        break;
      case "[":
        open.push(undefined);
        expectKey = false;
        break;
      case "}":
      case "]":
        open.pop();
        expectKey = false;
        break;
      case ",":
        expectKey = open.at(-1) !== undefined;
        break;
      case '"': {
        const start = at;
        for (at++; text.charAt(at) !== '"'; at++) if (text.charAt(at) === "\\") at++;
        if (!expectKey) break;
        const key = JSON.parse(text.slice(start, at + 1)) as string;
        const keys = open.at(-1) as Set<string>;
        if (keys.has(key)) return key;
        keys.add(key);
        expectKey = false;
        break;
      }
      default:
    }
  }
  return undefined;
}
