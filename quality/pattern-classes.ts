import { add, type PositionAutomaton } from './pattern-automaton.ts';
import type { SetPart } from './pattern-parser.ts';

/** More classes than any text of a sound pattern has; beyond it they are found again. */
const MAX_CLASSES = 4096;

const CHARACTERS_PER_PAGE = 64;

/**
 * Characters that a pattern can't tell apart have one class, a number from 1. They are found as they are met, and read
 * by tables: of ASCII, and of pages of 64 characters, which is what UTF-8's last byte distinguishes.
 */
export class CharacterClasses {
  /** By byte; 0 where it is not known yet. */
  readonly ascii = new Uint16Array(128);
  /** By what the bytes before the last one say: a page's number in {@link paged}; page 0 is not known yet. */
  readonly pages = new Uint16Array(0x110000 / CHARACTERS_PER_PAGE);
  /** Classes of the characters of each page that is in use; 0 where it is not known yet. */
  paged = new Uint16Array(CHARACTERS_PER_PAGE);
  /** Positions that read the characters of a class, from `class * words` on. */
  allowed: Int32Array;
  /** Classes, with 0. */
  count = 1;
  /** Counts the times that all classes were forgotten. */
  generation = 0;

  readonly #automaton: PositionAutomaton;
  readonly #bounds: Float64Array;
  readonly #properties: readonly ((character: number) => boolean)[];
  readonly #byParts = new Map<string, number>();
  readonly #byPositions = new Map<string, number>();
  #pagesUsed = 1;

  constructor(automaton: PositionAutomaton) {
    this.#automaton = automaton;
    this.allowed = new Int32Array(8 * automaton.words);
    const parts = new Set<SetPart>(automaton.sets.flatMap((set) => set.parts));
    const bounds = new Set<number>();
    const properties: ((character: number) => boolean)[] = [];
    for (const part of parts) {
      if (typeof part === 'function') properties.push(part);
      else bounds.add(part[0]).add(part[1] + 1);
    }
    this.#bounds = Float64Array.from(bounds).sort();
    this.#properties = properties;
  }

  /** A character of each class, at least; every character where a property of Unicode can tell them apart. */
  *representatives(): Generator<number> {
    if (this.#properties.length === 0) {
      yield 0;
      for (const bound of this.#bounds) if (bound < 0x110000) yield bound;
    } else for (let character = 0; character < 0x110000; character++) yield character;
  }

  /** The class of a character. */
  of(character: number): number {
    const at = character & (CHARACTERS_PER_PAGE - 1);
    const page = character >>> 6;
    const known =
      character < 0x80
        ? (this.ascii[character] as number)
        : (this.paged[(this.pages[page] as number) * CHARACTERS_PER_PAGE + at] as number);
    if (known !== 0) return known;
    const found = this.#find(character);
    if (character < 0x80) {
      this.ascii[character] = found;
      return found;
    }
    if (this.pages[page] === 0) {
      const needed = (this.#pagesUsed + 1) * CHARACTERS_PER_PAGE;
      if (needed > this.paged.length) {
        const larger = new Uint16Array(needed * 2);
        larger.set(this.paged);
        this.paged = larger;
      }
      this.paged.fill(0, needed - CHARACTERS_PER_PAGE, needed);
      this.pages[page] = this.#pagesUsed++;
    }
    this.paged[(this.pages[page] as number) * CHARACTERS_PER_PAGE + at] = found;
    return found;
  }

  #find(character: number): number {
    // Characters within the same bounds that have the same properties are alike.
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle] as number) <= character) low = middle + 1;
      else high = middle;
    }
    let parts = `${low}`;
    for (const has of this.#properties) parts += has(character) ? '+' : '-';
    const known = this.#byParts.get(parts);
    if (known !== undefined) return known;
    const found = this.#enter(character);
    if (this.#byParts.size < MAX_CLASSES) this.#byParts.set(parts, found);
    return found;
  }

  #enter(character: number): number {
    const { sets, words } = this.#automaton;
    const positions = new Int32Array(words);
    const answers = new Map<object, boolean>();
    sets.forEach((set, index) => {
      const has = answers.get(set) ?? set.has(character);
      answers.set(set, has);
      if (has) add(positions, 0, index + 1);
    });
    const key = positions.join();
    const known = this.#byPositions.get(key);
    if (known !== undefined) return known;
    if (this.count >= MAX_CLASSES) this.#forget();
    const found = this.count++;
    if (this.count * words > this.allowed.length) {
      const larger = new Int32Array(this.count * words * 2);
      larger.set(this.allowed);
      this.allowed = larger;
    }
    this.allowed.set(positions, found * words);
    this.#byPositions.set(key, found);
    return found;
  }

  #forget(): void {
    this.generation++;
    this.ascii.fill(0);
    this.pages.fill(0);
    this.#pagesUsed = 1;
    this.#byParts.clear();
    this.#byPositions.clear();
    this.count = 1;
  }
}
