import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** Types of resources and data sources whose bindings our sources import, such as `aws_sns_topic`. */
export function typesOfOurStacks(): ReadonlySet<string> {
  const bindings = globSync(join(root, 'src/**/*.ts')).flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(
      /@cdktf\/provider-aws\/lib\/(?!provider\/)(?:data-aws-)?([a-z0-9-]+)/g,
    ),
  ]);
  return new Set(bindings.map(([, name = '']) => `aws_${name.replaceAll('-', '_')}`));
}

/** The maps from a type's name to its schema, by the field number of the answer. */
const schemasByType = new Set([
  2, // resource_schemas
  3, // data_source_schemas
  8, // ephemeral_resource_schemas
  9, // list_resource_schemas
]);

/**
 * An answer to `GetSchema` (message `GetProviderSchema.Response` of Terraform's plugin protocol 5)
 * without the schemas of other types. Every byte of what stays is the provider's.
 */
export function limitSchema(answer: Buffer, types: ReadonlySet<string>): Buffer {
  const kept: Buffer[] = [];
  for (let start = 0; start < answer.length; ) {
    const tag = readVarint(answer, start);
    // Every field of this message is a message, and so has its length in front.
    const length = readVarint(answer, tag.end);
    const end = length.end + length.value;
    const isOfOtherType =
      schemasByType.has(tag.value >> 3) && !types.has(keyOf(answer.subarray(length.end, end)));
    if (!isOfOtherType) kept.push(answer.subarray(start, end));
    start = end;
  }
  return Buffer.concat(kept);
}

/** The key of a map's entry, which is its first field. */
function keyOf(entry: Buffer): string {
  const { value, end } = readVarint(entry, 1);
  return entry.toString('utf8', end, end + value);
}

/** A number as Protocol Buffers' "Encoding" page has it: seven bits a byte, the lowest first. */
function readVarint(buffer: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  for (let end = start, shift = 0; ; end += 1, shift += 7) {
    const byte = buffer.readUInt8(end);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: end + 1 };
  }
}
