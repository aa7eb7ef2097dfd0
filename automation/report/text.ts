/**
 * Texts from elsewhere in a report: names, tags and policies come from the configuration, and on a pull request from anyone who
 * wrote it. None of it may become markup, call a team, or hide what a line says.
 */

/**
 * Without what could move, hide or turn round the characters after it: those are shown by their number. One line, and not longer
 * than asked.
 */
export function visible(text: string, most = 2000): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu, (char) =>
    char === "\n" || char === "\t" ? " " : `\\u{${(char.codePointAt(0) as number).toString(16)}}`,
  );
  return shown.length > most ? `${[...shown].slice(0, most).join("")}…` : shown;
}

/** For HTML: as text between tags and in quoted attributes. */
export function html(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, entity);
}

/** For GitHub's Markdown, in a sentence or in the cell of a table. */
export function markdown(text: string): string {
  return (
    visible(text)
      .replace(/^[-+=\s]|[&<>"'`*_~[\](){}|\\!$^]/g, entity)
      // Behind an entity GitHub still finds a mention, an issue or an address; not across a space of no width.
      .replace(/(?<!&)[@#]/g, (char) => `${entity(char)}&#8203;`)
      .replace(/:\/\//g, ":&#8203;//")
      .replace(/\b(www(?=\.)|GH(?=-))/gi, "$1&#8203;")
  );
}

/** The same as code: GitHub looks for mentions in no code, so that it can be copied. */
export function markdownCode(text: string): string {
  return `<code>${visible(text).replace(/[^\p{L}\p{N} ,/-]/gu, entity)}</code>`;
}

/** A block of code that its content cannot end. */
export function fenced(language: string, lines: string[]): string {
  const shown = lines.map((line) => visible(line));
  const longest = Math.max(2, ...shown.flatMap((line) => (line.match(/`+/g) ?? []).map(({ length }) => length)));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language}`, ...shown, fence].join("\n");
}

function entity(char: string): string {
  return `&#${char.codePointAt(0) as number};`;
}

/** `1 stack`, `3 stacks`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
