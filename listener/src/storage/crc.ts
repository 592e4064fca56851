/** A CRC that is computed as the bytes come. */
export interface RunningCrc {
  update(chunk: Uint8Array): void;
  /** In bytes from the highest on, as S3 writes it. */
  digest(): Buffer;
}

/**
 * A reflected CRC that begins with ones and ends inverted, which those of S3 are. It is computed in WebAssembly,
 * since Node has neither of these two: 2,600 MB per CPU-second, where the SDK's JavaScript brings 640 of
 * CRC-64/NVME and 470 of CRC-32C, as much as the whole engine costs.
 */
class ReflectedCrc implements RunningCrc {
  readonly #machine: Machine;
  readonly #ones: bigint;
  readonly #bits: number;
  #crc: bigint;

  constructor(machine: Machine, bits: number) {
    this.#machine = machine;
    this.#bits = bits;
    this.#ones = (1n << BigInt(bits)) - 1n;
    this.#crc = this.#ones;
  }

  update(chunk: Uint8Array): void {
    const { input, crc } = this.#machine;
    for (let at = 0; at < chunk.length; at += input.length) {
      const part = chunk.subarray(at, at + input.length);
      input.set(part);
      this.#crc = crc(this.#crc, input.byteOffset, input.byteOffset + part.length);
    }
  }

  digest(): Buffer {
    const digest = Buffer.alloc(8);
    digest.writeBigUInt64BE(BigInt.asUintN(this.#bits, this.#crc ^ this.#ones));
    return digest.subarray(8 - this.#bits / 8);
  }
}

/** CRC-64/NVME, the one that S3 keeps of every object that came without another. */
export function crc64Nvme(): RunningCrc {
  nvme ??= machineFor(0x9a6c9329ac4bc9b5n);
  return new ReflectedCrc(nvme, 64);
}

/** CRC-32C (Castagnoli). */
export function crc32c(): RunningCrc {
  castagnoli ??= machineFor(0x82f63b78n);
  return new ReflectedCrc(castagnoli, 32);
}

let nvme: Machine | undefined;
let castagnoli: Machine | undefined;

/** An instance of the module with the tables of one polynomial. Its state is the caller's. */
interface Machine {
  /** Takes what is computed next. */
  readonly input: Uint8Array;
  /** The CRC of what was before goes on over the bytes of the memory from `start` to before `end`. */
  crc(before: bigint, start: number, end: number): bigint;
}

const TABLES = 16;
const TABLE_BYTES = 256 * 8;
const PAGES = 4;

/**
 * Makes the tables for slicing by 16, of which the table k has what a byte becomes after k further bytes of zeros.
 * Source: Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators",
 * 2005.
 *
 * @param polynomial reflected
 */
function machineFor(polynomial: bigint): Machine {
  const { memory, crc } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()))
    .exports as { memory: WebAssembly.Memory; crc: Machine['crc'] };
  const tables = new BigUint64Array(memory.buffer, 0, TABLES * 256);
  for (let index = 0; index < tables.length; index += 1) {
    if (index < 256) {
      let value = BigInt(index);
      for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (value & 1n ? polynomial : 0n);
      tables[index] = value;
    } else {
      const before = tables[index - 256] ?? 0n;
      tables[index] = (before >> 8n) ^ (tables[Number(before & 0xffn)] ?? 0n);
    }
  }
  return { input: new Uint8Array(memory.buffer, TABLES * TABLE_BYTES), crc };
}

// Source of the codes: WebAssembly Core Specification, "Binary Format".
const I32 = 0x7f;
const I64 = 0x7e;
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const i32 = (value: number) => [0x41, ...signed(value)];
const i64 = (value: number) => [0x42, ...signed(value)];
const load64 = (offset: number) => [0x29, 0, ...unsigned(offset)];
const LOAD8_AS_64 = [0x31, 0, 0];
const XOR64 = 0x85;
const SHIFT_RIGHT_64 = 0x88;
const LOW_HALF = 0xa7;
const ADD32 = 0x6a;
const AND32 = 0x71;
const SHIFT_LEFT_32 = 0x74;
const GREATER = 0x4b;
const END = 0x0b;

/** The module: a memory, and `crc`, by 16 bytes at a time and then one by one. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const [crc, at, end, first, second] = [0, 1, 2, 3, 4];
  /** What a table has for a byte of a local. */
  const look = (local: number, byte: number, table: number) => [
    ...get(local),
    ...(byte === 0 ? [] : [...i64(8 * byte), SHIFT_RIGHT_64]),
    ...[LOW_HALF, ...i32(0xff), AND32, ...i32(3), SHIFT_LEFT_32],
    ...load64(table * TABLE_BYTES),
  ];
  /** Repeats a step while that many bytes are left. */
  const whileLeft = (bytes: number, step: readonly number[]) => [
    // A block around a loop: the first branch leaves both, the second begins anew.
    ...[0x02, 0x40, 0x03, 0x40],
    ...[...get(at), ...i32(bytes), ADD32, ...get(end), GREATER, 0x0d, 1],
    ...step,
    ...[...get(at), ...i32(bytes), ADD32, ...set(at), 0x0c, 0],
    ...[END, END],
  ];
  const eight = Array.from({ length: 8 }, (_, byte) => byte);
  const sixteenBytes = [
    ...[...get(at), ...load64(0), ...get(crc), XOR64, ...set(first)],
    ...[...get(at), ...load64(8), ...set(second)],
    ...i64(0),
    ...eight.flatMap((byte) => [...look(first, byte, 15 - byte), XOR64]),
    ...eight.flatMap((byte) => [...look(second, byte, 7 - byte), XOR64]),
    ...set(crc),
  ];
  const oneByte = [
    ...[...get(at), ...LOAD8_AS_64, ...get(crc), XOR64, ...set(first)],
    ...[...look(first, 0, 0), ...get(crc), ...i64(8), SHIFT_RIGHT_64, XOR64, ...set(crc)],
  ];
  const body = [
    // Two more locals of 64 bits.
    ...[1, 2, I64],
    ...whileLeft(16, sixteenBytes),
    ...whileLeft(1, oneByte),
    ...[...get(crc), END],
  ];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const section = (id: number, content: readonly number[]) => [
    id,
    ...unsigned(content.length),
    ...content,
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I64, I32, I32, 1, I64]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('crc'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)];
}

/** Signed LEB128, of a value from 0: the sixth bit of its last byte would make it negative. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
