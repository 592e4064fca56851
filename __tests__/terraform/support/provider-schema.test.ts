import { expect, test } from 'vitest';
import { limitSchema, typesOfOurStacks } from './provider-schema.ts';

const RESOURCES = 2;
const DATA_SOURCES = 3;

/** A field of a message, the length of which takes two bytes. */
function field(number: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  const length = [(value.length & 0x7f) | 0x80, value.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), value]);
}

const text = (value: string) => Buffer.from(value);
const schemaOf = (map: number, type: string) =>
  field(map, field(1, text(type)), field(2, text(`schema of ${type} `.repeat(20))));

const own = field(1, text('the schema of the provider itself'));
const topic = schemaOf(RESOURCES, 'aws_sns_topic');
const vpcs = schemaOf(DATA_SOURCES, 'aws_vpcs');
const toParseArns = schemaOf(7, 'arn_parse');

test('the schemas of other types are left out, and nothing else', () => {
  const others = [schemaOf(RESOURCES, 'aws_instance'), schemaOf(DATA_SOURCES, 'aws_ami')];
  const whole = Buffer.concat([own, others[0] ?? own, topic, toParseArns, others[1] ?? own, vpcs]);
  expect(limitSchema(whole, new Set(['aws_sns_topic', 'aws_vpcs']))).toEqual(
    Buffer.concat([own, topic, toParseArns, vpcs]),
  );
});

test('an answer that breaks off is an error', () => {
  const broken = Buffer.concat([own, topic]).subarray(0, own.length + 2);
  expect(() => limitSchema(broken, new Set())).toThrow(RangeError);
});

test('our types are those of resources and of data sources', () => {
  const types = typesOfOurStacks();
  expect(types).toContain('aws_sns_topic');
  expect(types).toContain('aws_vpcs');
  expect(types).not.toContain('aws_instance');
});
