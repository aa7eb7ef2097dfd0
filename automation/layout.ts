/** Text that fits a width: tables whose columns are split over several blocks, and lines that are broken between words. */

// A color takes no columns.
const colors = /\u001b\[[0-9;]*m/g;

/** How many columns a string takes. */
export function widthOf(text: string): number {
  return [...text.replace(colors, "")].length;
}

export interface Table {
  /** Titles of the columns, each of one or more lines. */
  head: string[][];
  rows: string[][];
  /** How many columns at the left are repeated in each block. */
  fixed: number;
  /** The columns that the table may take. */
  width: number;
}

const gap = 2;

/**
 * The table in as many blocks, one below the other, as its width needs; each starts with the fixed columns. A word is never
 * broken. The first column is shortened where it would take more than a third of the width; a width that not even one column
 * fits into is exceeded.
 */
export function table({ head, rows, fixed, width }: Table): string[] {
  const most = Math.max(12, Math.floor(width / 3));
  const cells = rows.map(([first = "", ...rest]) => [shortened(first, most), ...rest]);
  const widths = head.map((title, column) =>
    Math.max(...[...title, ...cells.map((row) => row[column] ?? "")].map((each) => widthOf(each))),
  );
  const columnsOf = (column: number) => (widths[column] as number) + gap;
  const left = head.slice(0, fixed).map((_, column) => column);
  const start = left.reduce((sum, column) => sum + columnsOf(column), 0);
  const blocks: number[][] = [[]];
  let used = start;
  for (let column = fixed; column < head.length; column++) {
    const block = blocks[blocks.length - 1] as number[];
    if (block.length > 0 && used + columnsOf(column) - gap > width) {
      blocks.push([column]);
      used = start + columnsOf(column);
    } else {
      block.push(column);
      used += columnsOf(column);
    }
  }
  const line = (columns: number[], textOf: (column: number) => string) =>
    columns
      .map((column) => textOf(column) + " ".repeat(columnsOf(column) - widthOf(textOf(column))))
      .join("")
      .replace(/ +$/, "");
  return blocks.flatMap((block, index) => {
    const columns = [...left, ...block];
    const height = Math.max(...columns.map((column) => (head[column] as string[]).length));
    const titles = Array.from({ length: height }, (_, at) => line(columns, (column) => head[column]?.[at] ?? ""));
    return [...(index > 0 ? [""] : []), ...titles, ...cells.map((row) => line(columns, (column) => row[column] ?? ""))];
  });
}

/** The text within this many columns; what is cut off is shown as `…`. Not for text with colors. */
export function shortened(text: string, columns: number): string {
  const characters = [...text];
  return characters.length <= columns ? text : `${characters.slice(0, columns - 1).join("")}…`;
}

/**
 * Lines of at most this many columns, broken between words. The first line is indented as the text is, the others by `hanging`
 * more. A word that does not fit, such as an ARN, has a line of its own and is not broken.
 */
export function wrapped(text: string, width: number, hanging = 0): string[] {
  const indent = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of text.trim().split(" ")) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = indent + " ".repeat(hanging);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/**
 * The text with its long lines broken between words, as a terminal of this width shows it best. Only sentences are broken: a
 * command or a line of YAML is copied from the screen, so it stays in one line, which the terminal wraps.
 */
export function folded(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      const plain = line.replace(colors, "");
      if (widthOf(line) <= width || !/[.:;?!…]$/.test(plain) || /^\s*(#|\||\$ )/.test(plain)) return [line];
      return wrapped(line, width, /^\s*(→|-|!|\d+\.) /.test(plain) ? 2 : 0);
    })
    .join("\n");
}
