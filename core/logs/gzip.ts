/** The frame of a gzip file (RFC 1952). Node.js joins members and ignores what follows; here the frame is read strictly. */

/** The header: how long it is, and whether it has room for more than ten bytes. */
export interface GzipHeader {
  length: number;
  /** It carries a name, a comment or extra data. */
  hasExtras: boolean;
}

/** The header of a gzip file; undefined when it is not gzip, `incomplete` when the bytes end inside. */
export function gzipHeader(bytes: Uint8Array): GzipHeader | "incomplete" | undefined {
  const at = (index: number) => bytes[index] as number;
  if (bytes.length < 10) return "incomplete";
  const flags = at(3);
  // Method 8 is deflate; the three highest flags are reserved.
  if (at(0) !== 0x1f || at(1) !== 0x8b || at(2) !== 8 || (flags & 0xe0) !== 0) return undefined;
  let length = 10;
  if (flags & 0x04) {
    if (bytes.length < length + 2) return "incomplete";
    length += 2 + at(length) + (at(length + 1) << 8);
  }
  // A file name, then a comment: each ends with a zero.
  for (const flag of [0x08, 0x10]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, length);
    if (end < 0) return "incomplete";
    length = end + 1;
  }
  if (flags & 0x02) length += 2;
  return length > bytes.length ? "incomplete" : { length, hasExtras: length > 10 };
}

/** Behind the deflated data: CRC-32 and length of the content, four bytes each. */
export const gzipTrailerLength = 8;
