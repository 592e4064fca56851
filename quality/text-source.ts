/**
 * Encodings that text is read in, by their preferred MIME names in lower case. `utf-16` leaves the order of the bytes
 * to the file's byte order mark, or to where its zero bytes are.
 */
export const ENCODINGS = [
  'utf-8',
  'utf-16',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'iso-8859-1',
] as const;

/** A name that a dialect may declare. */
export type Encoding = (typeof ENCODINGS)[number];

/** An encoding that a file is read in: the order of its bytes is known. */
export type SettledEncoding = Exclude<Encoding, 'utf-16'>;

/** What a file's first bytes say of its encoding, and what became of it. */
export interface TextEncoding {
  /** What the file is read in. */
  readonly encoding: SettledEncoding;
  /** How it was found out; `default` is UTF-8, since nothing says otherwise. */
  readonly by: 'mark' | 'zero bytes' | 'declaration' | 'default';
  /** What the dialect declares where the bytes speak against it. */
  readonly contradicts?: Encoding;
}

/** Bytes by which an encoding is told. */
const SNIFFED_BYTES = 512;
/** Source bytes of a block; what becomes of it has at most three times as many. */
const BLOCK_BYTES = 16_384;

/** What Windows-1252 has at 80 to 9F; 0 where it has nothing. Elsewhere it is ISO-8859-1. */
const WINDOWS_1252_HIGH: readonly number[] = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
  0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161,
  0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/** The character that a byte stands for in Windows-1252; undefined for the five that stand for none. */
export function windows1252Character(byte: number): string | undefined {
  const code = byte < 0x80 || byte > 0x9f ? byte : (WINDOWS_1252_HIGH[byte - 0x80] ?? 0);
  return code === 0 ? undefined : String.fromCodePoint(code);
}

/** Stands for a character of UTF-16 that the end of the file cuts in two. No UTF-8 has this byte. */
export const CUT_OFF = 0xff;

/**
 * Turns a stream of bytes into one of UTF-8, in any chunks. UTF-8 itself goes through as it is. What is not a character in
 * its encoding is made invalid UTF-8, so that whoever looks for that finds it: an unpaired surrogate the three bytes
 * that would encode it, a byte that stands for nothing itself, half a character at the end {@link CUT_OFF}.
 */
export class TextSource {
  readonly #declared: Encoding | undefined;
  #head: Uint8Array | undefined = new Uint8Array(0);
  #text: TextEncoding;
  /** The odd byte of UTF-16 that a chunk ended with. */
  #oddByte = -1;
  #highSurrogate = 0;
  /** Bytes of UTF-8 given out, and the bytes of the source that they stand for. */
  #written = 0;
  #read = 0;
  /** What was given out lately, for {@link byteOf}; empty for UTF-8. */
  #blocks: Block[] = [];

  /** @param declared what the dialect says; undefined leaves it to the bytes */
  constructor(declared: Encoding | undefined) {
    this.#declared = declared;
    this.#text = { encoding: 'utf-8', by: 'default' };
  }

  /** What is known so far. */
  get text(): TextEncoding {
    return this.#text;
  }

  /**
   * Takes the next bytes.
   *
   * @param keptFrom offset in the UTF-8 before which {@link byteOf} will not be asked any more
   * @param sink gets the UTF-8, piece by piece
   */
  write(chunk: Uint8Array, keptFrom: number, sink: (utf8: Uint8Array) => void): void {
    if (this.#head === undefined) {
      this.#convert(chunk, keptFrom, sink);
      return;
    }
    const head = this.#head.length === 0 ? chunk : joined(this.#head, chunk);
    if (head.length < SNIFFED_BYTES) this.#head = Uint8Array.from(head);
    else this.#settle(head, sink);
  }

  /** Ends the stream; the sink gets what was held back. */
  end(keptFrom: number, sink: (utf8: Uint8Array) => void): void {
    if (this.#head !== undefined) this.#settle(this.#head, sink);
    if (this.#highSurrogate !== 0 || this.#oddByte >= 0) {
      const rest: number[] = [];
      if (this.#highSurrogate !== 0) rest.push(...surrogateBytes(this.#highSurrogate));
      if (this.#oddByte >= 0) rest.push(CUT_OFF);
      this.#give(Uint8Array.from(rest), this.#read, keptFrom, sink);
    }
  }

  /** Offset in the source of an offset in the UTF-8; null for one that is no longer known. */
  byteOf(offset: number): number | null {
    const { encoding } = this.#text;
    if (encoding === 'utf-8') return offset;
    const block = this.#blocks.findLast(({ start }) => start <= offset);
    if (block === undefined) return offset >= this.#written ? this.#read : null;
    return block.read + sourceLength(block.bytes, offset - block.start, encoding);
  }

  #settle(head: Uint8Array, sink: (utf8: Uint8Array) => void): void {
    this.#head = undefined;
    // However many came at once.
    this.#text = settleEncoding(head.subarray(0, SNIFFED_BYTES), this.#declared);
    this.#convert(head, 0, sink);
  }

  #convert(chunk: Uint8Array, keptFrom: number, sink: (utf8: Uint8Array) => void): void {
    const { encoding } = this.#text;
    if (encoding === 'utf-8') {
      this.#written += chunk.length;
      this.#read += chunk.length;
      if (chunk.length > 0) sink(chunk);
      return;
    }
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      const block = chunk.subarray(from, Math.min(chunk.length, from + BLOCK_BYTES));
      const read = this.#read;
      const utf8 =
        encoding === 'utf-16le' || encoding === 'utf-16be'
          ? this.#fromUtf16(block, encoding === 'utf-16be')
          : this.#fromSingleBytes(block, encoding === 'windows-1252');
      this.#give(utf8, read, keptFrom, sink);
    }
  }

  #give(utf8: Uint8Array, read: number, keptFrom: number, sink: (utf8: Uint8Array) => void): void {
    if (utf8.length === 0) return;
    this.#blocks = this.#blocks.filter(({ start, bytes }) => start + bytes.length > keptFrom);
    this.#blocks.push({ start: this.#written, read, bytes: utf8 });
    this.#written += utf8.length;
    sink(utf8);
  }

  #fromSingleBytes(block: Uint8Array, windows: boolean): Uint8Array {
    const utf8 = new Uint8Array(block.length * 3);
    let length = 0;
    for (let i = 0; i < block.length; i++) {
      const byte = block[i] as number;
      if (byte < 0x80) {
        utf8[length++] = byte;
        continue;
      }
      const code = windows && byte < 0xa0 ? (WINDOWS_1252_HIGH[byte - 0x80] as number) : byte;
      if (code === 0) utf8[length++] = byte;
      else length = encode(code, utf8, length);
    }
    this.#read += block.length;
    return utf8.subarray(0, length);
  }

  #fromUtf16(block: Uint8Array, bigEndian: boolean): Uint8Array {
    const bytes = this.#oddByte < 0 ? block : joined(Uint8Array.of(this.#oddByte), block);
    // A surrogate of the block before makes one character more.
    const utf8 = new Uint8Array((bytes.length >> 1) * 3 + 3);
    const high = bigEndian ? 0 : 1;
    const whole = bytes.length & ~1;
    let held = this.#highSurrogate;
    let read = this.#read;
    let length = 0;
    for (let i = 0; i < whole; i += 2) {
      const unit = ((bytes[i + high] as number) << 8) | (bytes[i + 1 - high] as number);
      if (held !== 0) {
        if (unit >= 0xdc00 && unit <= 0xdfff) {
          length = encode(0x10000 + ((held - 0xd800) << 10) + (unit - 0xdc00), utf8, length);
          held = 0;
          read += 4;
          continue;
        }
        length = encode(held, utf8, length);
        held = 0;
        read += 2;
      }
      if (unit >= 0xd800 && unit <= 0xdbff) {
        held = unit;
        continue;
      }
      if (unit < 0x80) utf8[length++] = unit;
      else length = encode(unit, utf8, length);
      read += 2;
    }
    this.#highSurrogate = held;
    this.#read = read;
    this.#oddByte = whole === bytes.length ? -1 : (bytes[whole] as number);
    return utf8.subarray(0, length);
  }
}

/** A piece of the UTF-8, where it starts, and the bytes of the source in front of it. */
interface Block {
  readonly start: number;
  readonly read: number;
  readonly bytes: Uint8Array;
}

/**
 * What a file is read in. A byte order mark decides, else what is declared, unless the bytes speak against it: text in
 * UTF-16 has zero bytes in its delimiters and line ends, and text in the others has none.
 */
function settleEncoding(head: Uint8Array, declared: Encoding | undefined): TextEncoding {
  const marked = encodingOfMark(head);
  const found = marked ?? utf16WithoutMark(head);
  if (found === undefined) {
    if (declared === undefined || head.length === 0) return { encoding: 'utf-8', by: 'default' };
    const isUtf16 = declared === 'utf-16' || declared === 'utf-16le' || declared === 'utf-16be';
    // Without a zero byte it is none, and with some, but no sign of the order, the declared order holds.
    if (declared === 'utf-16' || (isUtf16 && !head.includes(0))) {
      return { encoding: 'utf-8', by: 'default', contradicts: declared };
    }
    return { encoding: declared, by: 'declaration' };
  }
  const by = marked === undefined ? 'zero bytes' : 'mark';
  const agrees =
    declared === found || (declared === 'utf-16' && (found === 'utf-16le' || found === 'utf-16be'));
  if (declared !== undefined && agrees) return { encoding: found, by: 'declaration' };
  return { encoding: found, by, ...(declared === undefined ? {} : { contradicts: declared }) };
}

function encodingOfMark(head: Uint8Array): SettledEncoding | undefined {
  const [first, second, third, fourth] = head;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  // FF FE 00 00 is the mark of UTF-32.
  if (first === 0xff && second === 0xfe && !(third === 0 && fourth === 0)) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}

/** Characters such as U+3000, U+4E00 and half of U+10400 have a zero for their lower byte; of delimiters there are this many times more. */
const MOST_ZEROS_BELOW = 4;

/**
 * Text in UTF-16 that begins without a mark: in each pair of bytes the zeros, and the other control characters that no
 * text holds, are nearly all on the same side, and on at least half of the pairs; where the script has none of them there, as
 * Chinese, the zeros of a few delimiters are enough if it is not UTF-8 either.
 */
function utf16WithoutMark(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const pairs = head.length >> 1;
  if (pairs < 2) return undefined;
  const zeros = [0, 0];
  const controls = [0, 0];
  for (let i = 0; i < pairs * 2; i++) {
    const byte = head[i] as number;
    if (byte === 0) zeros[i & 1] = (zeros[i & 1] as number) + 1;
    if (isControl(byte)) controls[i & 1] = (controls[i & 1] as number) + 1;
  }
  for (const side of [1, 0] as const) {
    const here = zeros[side] as number;
    if (here === 0 || (zeros[1 - side] as number) * MOST_ZEROS_BELOW > here) continue;
    const units = codeUnits(head, side);
    if (units.some((unit) => unit < 0x80 && isControl(unit))) continue;
    const many = (controls[side] as number) * 2 >= pairs;
    const some = here * 32 >= pairs && head.some((byte) => byte >= 0x80) && !isPlausibleUtf8(head);
    if (many || some) return side === 1 ? 'utf-16le' : 'utf-16be';
  }
  return undefined;
}

function codeUnits(head: Uint8Array, high: 0 | 1): number[] {
  return Array.from(
    { length: head.length >> 1 },
    (_, pair) => ((head[pair * 2 + high] ?? 0) << 8) | (head[pair * 2 + 1 - high] ?? 0),
  );
}

function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
}

/** Whether every byte above 7F is part of a sequence as UTF-8 has them, the last one aside, which the head may cut. */
function isPlausibleUtf8(head: Uint8Array): boolean {
  for (let i = 0; i < head.length; ) {
    const length = sequenceLength(head[i] as number);
    if (length === 0) return false;
    for (let k = 1; k < length && i + k < head.length; k++) {
      if (((head[i + k] as number) & 0xc0) !== 0x80) return false;
    }
    i += length;
  }
  return true;
}

/** Bytes of the sequence that a byte begins in UTF-8; 0 where it begins none. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Bytes of the source that the first `length` bytes of what was made of it stand for. */
function sourceLength(
  utf8: Uint8Array,
  length: number,
  encoding: Exclude<SettledEncoding, 'utf-8'>,
): number {
  const unit = encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
  let read = 0;
  for (let i = 0; i < length && i < utf8.length; ) {
    const byte = utf8[i] as number;
    const sequence = sequenceLength(byte);
    if (sequence === 0) read += 1;
    else read += sequence === 4 ? 2 * unit : unit;
    i += Math.max(1, sequence);
  }
  return read;
}

/** Writes a code point of 80 or more; gives the length after it. */
function encode(code: number, target: Uint8Array, at: number): number {
  let length = at;
  if (code < 0x800) {
    target[length++] = 0xc0 | (code >> 6);
  } else {
    if (code < 0x10000) {
      target[length++] = 0xe0 | (code >> 12);
    } else {
      target[length++] = 0xf0 | (code >> 18);
      target[length++] = 0x80 | ((code >> 12) & 0x3f);
    }
    target[length++] = 0x80 | ((code >> 6) & 0x3f);
  }
  target[length++] = 0x80 | (code & 0x3f);
  return length;
}

function surrogateBytes(unit: number): Uint8Array {
  const bytes = new Uint8Array(3);
  encode(unit, bytes, 0);
  return bytes;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
