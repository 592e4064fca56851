import { equalsBytes } from './types/cell-type.ts';

/** Up to so many texts it is faster to compare bytes than to make a string. */
const FEW = 12;

/** Texts that a cell is looked up in by its bytes. */
export class TextSet {
  readonly #few: readonly Buffer[];
  /** The texts' UTF-8, one byte a character. */
  readonly #many: ReadonlySet<string>;

  constructor(texts: readonly string[]) {
    const bytes = [...new Set(texts)].map((text) => Buffer.from(text));
    this.#few = bytes.length <= FEW ? bytes : [];
    this.#many = new Set(bytes.length <= FEW ? [] : bytes.map((text) => text.toString('latin1')));
  }

  has(bytes: Buffer, start: number, end: number): boolean {
    for (const text of this.#few) if (equalsBytes(bytes, start, end, text)) return true;
    return this.#many.size > 0 && this.#many.has(bytes.toString('latin1', start, end));
  }
}
