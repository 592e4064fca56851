import type { ByteReader } from './byte-reader.ts';
import { type CompressionFormat, type Decompression, DecompressionError } from './ports.ts';

/** Compressed files that are judged by what they hold. */
export type ArchiveFormat = 'gzip' | 'zip' | 'zstd';

/** How much of an archive is unpacked. */
export interface UnpackLimits {
  /** Bytes. */
  readonly maxUnpackedBytes: number;
  /** Unpacked bytes for each byte of the archive, from {@link RATIO_COUNTS_FROM} bytes on. */
  readonly maxCompressionRatio: number;
  /** What messages call these limits, where their names are not those of the settings that they are from. */
  readonly limitNames?: LimitNames | undefined;
}

/** Names of settings. */
export type LimitNames = Readonly<Record<'maxUnpackedBytes' | 'maxCompressionRatio', string>>;

const OWN_NAMES: LimitNames = {
  maxUnpackedBytes: 'maxUnpackedBytes',
  maxCompressionRatio: 'maxCompressionRatio',
};

/** 64 GiB take some minutes of a processor; memory is constant. */
export const DEFAULT_MAX_UNPACKED_BYTES = 64 * 1024 * 1024 * 1024;
/** Tables are packed to a tenth, and one that is nearly all blank to a hundredth; a bomb to a thousandth and less. */
export const DEFAULT_MAX_COMPRESSION_RATIO = 250;
/** Before that, no ratio does harm. */
const RATIO_COUNTS_FROM = 64 * 1024 * 1024;

/** Why an archive can't be judged: a fault of the file. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';
  readonly kind: 'source-error' | 'unsupported-format';

  constructor(kind: ArchiveFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Bytes by which an archive is known. */
export const ARCHIVE_SIGNATURE_BYTES = 4;

/** What a file is by its first {@link ARCHIVE_SIGNATURE_BYTES}, if the program can unpack it. */
export function archiveOf(
  head: Uint8Array,
  decompression: Decompression | undefined,
): ArchiveFormat | undefined {
  const [first = 0, second, third, fourth] = head;
  const can = (format: CompressionFormat) => decompression?.formats.includes(format) === true;
  if (first === 0x1f && second === 0x8b && third === 8) return can('gzip') ? 'gzip' : undefined;
  if (first === 0x50 && second === 0x4b && third === 3 && fourth === 4) {
    return can('deflate-raw') ? 'zip' : undefined;
  }
  const frame = first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd;
  // A frame that is to be skipped may come first.
  const skippable = (first & 0xf0) === 0x50 && second === 0x2a && third === 0x4d && fourth === 0x18;
  return (frame || skippable) && can('zstd') ? 'zstd' : undefined;
}

/**
 * The content of an archive, as it is unpacked: a gzip file with any number of members, a zstd file with any number of
 * frames, or the one file of a zip archive. An archive inside it is not followed.
 *
 * @throws {ArchiveFault} for what is damaged, cut off, not supported or over a limit; what came before is worthless then
 * @throws what the source throws
 */
export async function* unpack(
  format: ArchiveFormat,
  source: ByteReader,
  decompression: Decompression,
  limits: UnpackLimits,
): AsyncGenerator<Uint8Array> {
  try {
    const content =
      format === 'zip'
        ? zipContent(source, decompression)
        : streamContent(format, source, decompression);
    let unpacked = 0;
    for await (const chunk of content) {
      unpacked += chunk.length;
      checkSize(unpacked, source.taken, limits);
      yield chunk;
    }
  } catch (error) {
    if (!(error instanceof DecompressionError)) throw error;
    throw error.truncated ? cutOff(format) : damaged(format, error.message);
  }
}

function checkSize(unpacked: number, packed: number, limits: UnpackLimits): void {
  const { maxUnpackedBytes, maxCompressionRatio, limitNames = OWN_NAMES } = limits;
  if (unpacked > maxUnpackedBytes) {
    const message = `The archive holds more than ${maxUnpackedBytes} bytes, which is ${limitNames.maxUnpackedBytes}.`;
    throw new ArchiveFault('source-error', message);
  }
  if (unpacked > RATIO_COUNTS_FROM && unpacked > packed * maxCompressionRatio) {
    const message = `The archive's ${packed} bytes so far hold ${unpacked}, more than ${maxCompressionRatio} for each, which is ${limitNames.maxCompressionRatio}.`;
    throw new ArchiveFault('source-error', message);
  }
}

function cutOff(format: ArchiveFormat): ArchiveFault {
  return new ArchiveFault('source-error', `The ${format} archive is cut off: it has no end.`);
}

function damaged(format: ArchiveFormat, reason: string): ArchiveFault {
  return new ArchiveFault('source-error', `The ${format} archive is damaged: ${reason}.`);
}

function unsupported(reason: string, remedy: string): ArchiveFault {
  return new ArchiveFault('unsupported-format', `The zip archive ${reason}: ${remedy}.`);
}

async function* streamContent(
  format: 'gzip' | 'zstd',
  source: ByteReader,
  decompression: Decompression,
): AsyncGenerator<Uint8Array> {
  yield* decompressed(format, source, decompression);
  for await (const chunk of source.chunks()) {
    // Tapes and block devices pad with zeros, which gzip passes over.
    if (format === 'gzip' && chunk.every((byte) => byte === 0)) continue;
    throw damaged(format, 'other bytes come after its end');
  }
}

/** One compressed stream; the bytes behind it are left in the source. */
async function* decompressed(
  format: CompressionFormat,
  source: ByteReader,
  decompression: Decompression,
  packed = Infinity,
): AsyncGenerator<Uint8Array> {
  const before = source.taken;
  const input = source.chunks(packed);
  // The end may be noticed one chunk after it.
  let last: readonly Uint8Array[] = [];
  const stream = decompression.open(format, {
    async next() {
      const result = await input.next();
      if (!result.done) last = [...last.slice(-1), result.value];
      return result;
    },
  });
  yield* stream.bytes;
  const consumed = stream.consumed();
  let behind = consumed === undefined ? 0 : source.taken - before - consumed;
  for (const chunk of last.toReversed()) {
    const count = Math.min(behind, chunk.length);
    source.putBack(chunk.subarray(chunk.length - count));
    behind -= count;
  }
}

const LOCAL_FILE = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const CENTRAL_FILE = 0x02014b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const END = 0x06054b50;

const STORED = 0;
const DEFLATED = 8;
/** Bits of an entry's flags. */
const ENCRYPTED = 0x2041;
const SIZES_BEHIND = 8;

/** More than that is not a file of attributes. */
const MAX_COMPANION_BYTES = 16 * 1024 * 1024;

const PACK_ONE = 'pack the one CSV file by itself';

/** One file of a zip archive, by the header in front of it. */
interface ZipEntry {
  readonly name: string;
  readonly method: number;
  /** Undefined where it stands behind the content. */
  readonly packed: number | undefined;
  readonly crc32: number;
  readonly size: number;
}

async function* zipContent(
  source: ByteReader,
  decompression: Decompression,
): AsyncGenerator<Uint8Array> {
  let found = false;
  let beside = 0;
  for (;;) {
    const signature = uint32(await zipBytes(source, 4), 0);
    if (signature !== LOCAL_FILE) {
      if (signature !== CENTRAL_FILE) throw damaged('zip', 'no list of its files follows them');
      await passDirectory(source);
      break;
    }
    const entry = await readEntry(source);
    if (isCompanion(entry.name)) {
      for await (const chunk of entryContent(entry, source, decompression)) beside += chunk.length;
      if (beside > MAX_COMPANION_BYTES) throw unsupported('holds more than one file', PACK_ONE);
      continue;
    }
    if (found) throw unsupported('holds more than one file', PACK_ONE);
    const document = documentOf(entry);
    if (document !== undefined) {
      const message = `The file is ${document}; text is needed: export the table as CSV.`;
      throw new ArchiveFault('unsupported-format', message);
    }
    found = true;
    yield* entryContent(entry, source, decompression);
  }
  if (!found) throw unsupported('holds no file', PACK_ONE);
}

async function readEntry(source: ByteReader): Promise<ZipEntry> {
  const header = await zipBytes(source, 26);
  const name = new TextDecoder().decode(await zipBytes(source, uint16(header, 22)));
  const extra = await zipBytes(source, uint16(header, 24));
  const flags = uint16(header, 2);
  const method = uint16(header, 4);
  const { packed, size } = entrySizes(uint32(header, 14), uint32(header, 18), extra);
  const sizesBehind = (flags & SIZES_BEHIND) !== 0;
  if ((flags & ENCRYPTED) !== 0) throw unsupported('is encrypted', 'pack it without a password');
  if (method !== STORED && method !== DEFLATED) {
    throw unsupported(`is packed by method ${method}`, 'pack it by Deflate, as most programs do');
  }
  return {
    name,
    method,
    packed: sizesBehind ? undefined : packed,
    crc32: uint32(header, 10),
    size,
  };
}

/** Sizes of 4 GiB and more stand in an extra field. */
function entrySizes(
  packed: number,
  size: number,
  extra: Uint8Array,
): { packed: number; size: number } {
  for (let at = 0; at + 4 <= extra.length; at += 4 + uint16(extra, at + 2)) {
    if (uint16(extra, at) !== 1 || at + 20 > extra.length) continue;
    return {
      packed: packed === 0xffffffff ? uint64(extra, at + 12) : packed,
      size: size === 0xffffffff ? uint64(extra, at + 4) : size,
    };
  }
  return { packed, size };
}

/** What packing programs put beside a file: folders, and on macOS a file of attributes. */
function isCompanion(name: string): boolean {
  return name.endsWith('/') || name.startsWith('__MACOSX/') || /(^|\/)\.DS_Store$/.test(name);
}

/** Documents that are zip archives, by the file that stands first in them. */
function documentOf({ name }: ZipEntry): string | undefined {
  if (/^xl\//.test(name)) return 'an Excel workbook (XLSX)';
  if (/^(\[Content_Types\]\.xml|_rels\/|docProps\/|word\/|ppt\/|customXml\/)/.test(name)) {
    return 'an Excel workbook (XLSX) or another Office document';
  }
  if (name === 'mimetype') return 'an OpenDocument spreadsheet (ODS) or another such document';
  return name.startsWith('META-INF/') ? 'a Java archive' : undefined;
}

async function* entryContent(
  entry: ZipEntry,
  source: ByteReader,
  decompression: Decompression,
): AsyncGenerator<Uint8Array> {
  const { method, packed } = entry;
  if (packed === undefined && (method === STORED || !decompression.findsEnd)) {
    throw unsupported('has the size of its file behind it', 'pack it by another program');
  }
  const before = source.taken;
  const content =
    method === STORED
      ? source.chunks(packed)
      : decompressed('deflate-raw', source, decompression, packed);
  let crc32 = 0;
  let size = 0;
  for await (const chunk of content) {
    crc32 = decompression.crc32(chunk, crc32);
    size += chunk.length;
    yield chunk;
  }
  const read = source.taken - before;
  // What is cut off in front of its own end is not a stream of Deflate.
  if (packed !== undefined && read < packed && method === STORED) throw cutOff('zip');
  const intact =
    packed === undefined
      ? await passDescriptor(source, { crc32, packed: read, size })
      : crc32 === entry.crc32 && size === entry.size && read === packed;
  if (!intact) throw damaged('zip', 'its checksum or its size is another one');
}

/**
 * Passes what stands behind a file whose sizes were not known in front of it: perhaps a signature, the CRC-32, and two
 * sizes of 4 or 8 bytes, which is not said anywhere in front of it.
 */
async function passDescriptor(
  source: ByteReader,
  file: { readonly crc32: number; readonly packed: number; readonly size: number },
): Promise<boolean> {
  const bytes = await source.takeUpTo(28);
  for (const start of [4, 0]) {
    if (start === 4 && (bytes.length < 4 || uint32(bytes, 0) !== DESCRIPTOR)) continue;
    for (const width of [4, 8]) {
      const end = start + 4 + width * 2;
      if (bytes.length < end + 4 || uint16(bytes, end) !== 0x4b50) continue;
      const size = (at: number) => (width === 4 ? uint32(bytes, at) : uint64(bytes, at));
      const same = (told: number, counted: number) =>
        told === (width === 4 ? counted % 0x1_0000_0000 : counted);
      if (uint32(bytes, start) !== file.crc32) continue;
      if (!same(size(start + 4), file.packed) || !same(size(start + 4 + width), file.size)) {
        continue;
      }
      source.putBack(bytes.subarray(end));
      return true;
    }
  }
  if (bytes.length < 28) throw cutOff('zip');
  return false;
}

/** Reads the list of files behind the signature of its first entry, to the end of the archive. */
async function passDirectory(source: ByteReader): Promise<void> {
  for (let signature = CENTRAL_FILE; ; signature = uint32(await zipBytes(source, 4), 0)) {
    if (signature === CENTRAL_FILE) {
      const header = await zipBytes(source, 42);
      await zipBytes(source, uint16(header, 24) + uint16(header, 26) + uint16(header, 28));
    } else if (signature === ZIP64_END) {
      const length = uint64(await zipBytes(source, 8), 0);
      if (length > 0xffff) throw damaged('zip', 'its end is of no known form');
      await zipBytes(source, length);
    } else if (signature === ZIP64_LOCATOR) {
      await zipBytes(source, 16);
    } else if (signature === END) {
      await zipBytes(source, uint16(await zipBytes(source, 18), 16));
      if ((await source.takeUpTo(1)).length === 0) return;
      throw damaged('zip', 'other bytes come after its end');
    } else {
      throw damaged('zip', 'the list of its files is of no known form');
    }
  }
}

async function zipBytes(source: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await source.takeUpTo(count);
  if (bytes.length < count) throw cutOff('zip');
  return bytes;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0;
}

function uint64(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) + uint32(bytes, at + 4) * 0x1_0000_0000;
}
