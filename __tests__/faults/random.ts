/** Numbers that a seed decides. */
export interface Random {
  /** A whole number between two, both included. */
  between(least: number, most: number): number;
  /** @param probability 0 to 1 */
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  pick<T>(from: readonly T[]): T | undefined;
  shuffled<T>(list: readonly T[]): T[];
  /** Digits of a name that does not occur twice. */
  hex(length: number): string;
}

/** The generator mulberry32 by Tommy Ettinger: 32 bits of state, for tests good enough. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    between,
    chance: (probability) => next() < probability,
    pick: <T>(from: readonly T[]) => from[between(0, from.length - 1)] as T,
    shuffled(list) {
      const shuffled = [...list];
      for (let last = shuffled.length - 1; last > 0; last -= 1) {
        const other = between(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other] as never, shuffled[last] as never];
      }
      return shuffled;
    },
    hex: (length) => Array.from({ length }, () => between(0, 15).toString(16)).join(''),
  };
}
