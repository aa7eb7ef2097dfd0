/**
 * The typed values of conditions. Each reader answers with undefined for a string that is not such a value; nothing is guessed.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */

/** `true` or `false`, in any letter case. */
export function readBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** An integer or decimal number. */
export function readNumber(text: string): number | undefined {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const isoDate = /^(\d{4})-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/i;

/**
 * A date as milliseconds since 1970: ISO 8601 in the W3C's profile (a time without a zone is UTC), or epoch seconds.
 * A bare number of four digits is epoch seconds, not a year.
 */
export function readDate(text: string): number | undefined {
  if (/^\d{1,13}(\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  const match = isoDate.exec(text);
  if (!match) return undefined;
  const [, year, month, day = "01", hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] = match;
  const numbers = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(numbers[0], numbers[1] - 1, numbers[2], numbers[3], numbers[4], numbers[5]));
  // Date.UTC takes years below 100 for 19xx, and rolls a 30 February over; both show here.
  const same =
    date.getUTCFullYear() === numbers[0] &&
    date.getUTCMonth() === numbers[1] - 1 &&
    date.getUTCDate() === numbers[2] &&
    date.getUTCHours() === numbers[3] &&
    date.getUTCMinutes() === numbers[4] &&
    date.getUTCSeconds() === numbers[5];
  if (!same) return undefined;
  return date.getTime() + Math.round(Number(`0${fraction}`) * 1000) - zoneOffset(zone);
}

function zoneOffset(zone: string): number {
  if (zone.toUpperCase() === "Z") return 0;
  const digits = zone.replace(":", "");
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits.startsWith("-") ? -minutes : minutes) * 60_000;
}

/** An address as its bytes, 4 or 16. */
export function readAddress(text: string): number[] | undefined {
  return text.includes(":") ? readIpv6(text) : readIpv4(text);
}

function readIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    // A leading zero would be octal to some readers and decimal to others.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return bytes;
}

function readIpv6(text: string): number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half, index) => (half === "" ? [] : readGroups(half, index === halves.length - 1)));
  const [head, tail] = groups;
  if (head === undefined || (groups.length === 2 && tail === undefined)) return undefined;
  if (groups.length === 1) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - (tail as number[]).length;
  // "::" stands for at least one group of zeros.
  if (missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...(tail as number[])];
}

function readGroups(text: string, last: boolean): number[] | undefined {
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes(".")) {
      const ipv4 = readIpv4(group);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}

/** A range of addresses. */
export interface AddressRange {
  bytes: number[];
  bits: number;
}

/** A range in CIDR notation, or one address. */
export function readRange(text: string): AddressRange | undefined {
  const slash = text.indexOf("/");
  const bytes = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const most = bytes.length * 8;
  if (slash < 0) return { bytes, bits: most };
  const bits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > most) return undefined;
  return { bytes, bits: Number(bits) };
}

/** True when the address lies in the range. An IPv4 address never lies in an IPv6 range, nor the other way round. */
export function inRange(address: number[], range: AddressRange): boolean {
  if (address.length !== range.bytes.length) return false;
  for (let index = 0, left = range.bits; left > 0; index++, left -= 8) {
    const mask = left >= 8 ? 255 : (255 << (8 - left)) & 255;
    if (((address[index] as number) & mask) !== ((range.bytes[index] as number) & mask)) return false;
  }
  return true;
}

/** Base64, without its padding: the same bytes give the same text. */
export function readBinary(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  // At most two, as was just seen.
  return text.replace(/={1,2}$/, "");
}
