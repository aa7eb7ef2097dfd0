// Numbers that look random and are the same for the same seed.

export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  /** From 0 up to, and without, the limit; whole. */
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
  hex(length: number): string;
  /** Letters and digits, as in the names of log files. */
  letters(length: number): string;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const letterPairs = Array.from(
  { length: 4096 },
  (_, value) =>
    `${alphabet[value % alphabet.length]}${alphabet[Math.floor(value / alphabet.length) % alphabet.length]}`,
);
const hexPairs = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

/** One sequence for each seed and name, so that what is made does not depend on the order in which it is made. */
export function randomOf(seed: number, name: string): Random {
  let state = seed >>> 0;
  for (let index = 0; index < name.length; index++) {
    state = Math.imul(state ^ name.charCodeAt(index), 0x01000193) >>> 0;
  }
  // mulberry32 (public domain).
  const bits = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  };
  const below = (limit: number) => Math.floor((bits() / 4294967296) * limit);
  return {
    next: () => bits() / 4294967296,
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    hex: (length) => {
      let text = "";
      while (text.length < length) {
        const value = bits();
        text += `${hexPairs[value & 255]}${hexPairs[(value >>> 8) & 255]}${hexPairs[(value >>> 16) & 255]}${hexPairs[value >>> 24]}`;
      }
      return text.slice(0, length);
    },
    letters: (length) => {
      let text = "";
      while (text.length < length) {
        const value = bits();
        text += (letterPairs[value & 4095] as string) + letterPairs[(value >>> 12) & 4095];
      }
      return text.slice(0, length);
    },
  };
}
