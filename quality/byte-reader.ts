/**
 * Reads a stream of bytes in pieces of the reader's choice. It never closes the stream, whose chunks may hold something else
 * once the next one is asked for.
 */
export class ByteReader {
  /** Bytes taken so far, those that were put back not counted. */
  taken = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  /** What was read and not yet taken. */
  #ahead: Uint8Array[] = [];
  #copies = false;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  /** From now on gives out copies, for whoever reads on before it is done with what it has. */
  copy(): void {
    this.#copies = true;
    this.#ahead = this.#ahead.map((chunk) => new Uint8Array(chunk));
  }

  /** The next bytes, at least this many unless the stream ends, which {@link chunks} gives again as they came. */
  async peek(count: number): Promise<Uint8Array> {
    let length = this.#ahead.reduce((sum, chunk) => sum + chunk.length, 0);
    while (length < count) {
      this.#ahead = this.#ahead.map((chunk) => new Uint8Array(chunk));
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      this.#ahead.push(chunk);
      length += chunk.length;
    }
    const [first] = this.#ahead;
    if (first !== undefined && first.length === length) return first;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of this.#ahead) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** The next bytes, fewer only where the stream ends. */
  async takeUpTo(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    let length = 0;
    while (length < count) {
      const chunk = await this.#next(count - length);
      if (chunk === undefined) break;
      bytes.set(chunk, length);
      length += chunk.length;
    }
    return bytes.subarray(0, length);
  }

  /** The next bytes as they come, to the end of the stream or this many. */
  async *chunks(count = Infinity): AsyncGenerator<Uint8Array> {
    for (let rest = count; rest > 0; ) {
      const chunk = await this.#next(rest);
      if (chunk === undefined) return;
      rest -= chunk.length;
      yield chunk;
    }
  }

  /** Gives back the last bytes that were taken. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.taken -= bytes.length;
    this.#ahead.unshift(bytes);
  }

  /** At least one byte and at most this many; undefined at the end. */
  async #next(most: number): Promise<Uint8Array | undefined> {
    let chunk = this.#ahead.shift();
    while (chunk === undefined || chunk.length === 0) {
      chunk = await this.#pull();
      if (chunk === undefined) return undefined;
    }
    if (chunk.length > most) {
      this.#ahead.unshift(chunk.subarray(most));
      chunk = chunk.subarray(0, most);
    }
    this.taken += chunk.length;
    return chunk;
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const result = await this.#source.next();
    if (result.done) return undefined;
    return this.#copies ? new Uint8Array(result.value) : result.value;
  }
}
