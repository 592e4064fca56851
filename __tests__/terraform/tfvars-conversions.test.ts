import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveVariables } from '../../src/settings/resolve-variables.ts';
import { readHclLiterals } from '../../src/settings/tfvars/hcl-literals.ts';
import { flag, integer, objectList, text, textList, textMap } from '../../src/settings/variable.ts';
import { TerraformError, terraformIn } from './support/terraform.ts';

const any = { description: '', default: undefined, example: undefined as never };
const VARIABLES = {
  string: text({ ...any, allowed: 'any' }),
  number: { ...integer(0, 1, any), accepts: () => true },
  bool: flag(any),
  'list(string)': textList({ ...any, allowed: 'any' }),
  'map(string)': textMap({ ...any, allowed: 'any' }),
  'list(object({ s = string, n = optional(number, 3), b = optional(bool, false), l = optional(list(string), ["x"]) }))':
    objectList(
      {
        s: text({ ...any, allowed: 'any' }),
        n: { ...integer(0, 1, { ...any, default: 3 }), accepts: () => true },
        b: flag({ ...any, default: false }),
        l: textList({ ...any, allowed: 'any', default: ['x'] }),
      },
      any,
    ),
};
type Type = keyof typeof VARIABLES;

/** Literals of HCL. Null is left out: to Terraform it is a value, to our settings the default. */
const scalar = fc.oneof(
  fc.constantFrom('true', 'false', '0', '1', '-1', '1.5', '1e3'),
  fc
    .string({ unit: fc.constantFrom(...'01+-.eE truefals_x'), maxLength: 5 })
    .map((content) => JSON.stringify(content)),
  fc.constantFrom('"1"', '"0"', '"true"', '"false"', '"+3"', '"1."', '".5"', '"007"', '"1E+3"'),
);
const literal = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  fc
    .array(scalar, { maxLength: 3 })
    .map((items) => `{ ${items.map((item, index) => `k${index} = ${item}`).join(', ')} }`),
);

/** Lists of objects that mostly have what the type asks for, and often more. */
const objects = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 9, arbitrary: scalar }, fc.constant(undefined)),
      fc.uniqueArray(
        fc.tuple(
          fc.constantFrom('n', 'b', 'l', 'unknown'),
          fc.oneof(fc.constantFrom('"2"', 'true', '["y", 1]', '[]', 'null'), scalar),
        ),
        { selector: ([key]) => key, maxLength: 3 },
      ),
    ),
    { maxLength: 2 },
  )
  .map((items) => {
    const texts = items.map(([required, optional]) =>
      [...(required === undefined ? [] : [['s', required]]), ...optional]
        .map(([key, value]) => `${key} = ${value}`)
        .join(', '),
    );
    return `[${texts.map((item) => `{ ${item} }`).join(', ')}]`;
  });

/** What our reader makes of a literal; undefined where it refuses it. */
function read(type: Type, source: string): unknown {
  const { assignments, faults } = readHclLiterals(`v = ${source}\n`);
  const sourced = assignments.map((assignment) => ({ ...assignment, file: 'x' }));
  const resolved = resolveVariables('x', sourced, { v: VARIABLES[type] });
  return faults.length + resolved.faults.length > 0 ? undefined : resolved.settings.v;
}

test('a literal is converted, or refused, as by Terraform itself', async () => {
  const types = Object.keys(VARIABLES) as Type[];
  const ofObjects = types.filter((type) => type.startsWith('list(object'));
  const cases = fc
    .sample(
      fc.oneof(
        { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...types), literal) },
        fc.tuple(fc.constantFrom(...ofObjects), objects),
      ),
      500,
    )
    .map(([type, source], index) => ({ name: `v${index}`, type, source }));
  const folder = mkdtempSync(join(tmpdir(), 'conversions-'));
  const write = (kept: typeof cases) => {
    const variable = Object.fromEntries(kept.map(({ name, type }) => [name, { type }]));
    const output = Object.fromEntries(kept.map(({ name }) => [name, { value: `\${var.${name}}` }]));
    writeFileSync(join(folder, 'main.tf.json'), JSON.stringify({ variable, output }));
    writeFileSync(
      join(folder, 'terraform.tfvars'),
      kept.map(({ name, source }) => `${name} = ${source}\n`).join(''),
    );
  };
  const terraform = terraformIn(folder, { aws: { url: 'http://127.0.0.1:9' } });
  try {
    write(cases);
    const refused = new Set<string>();
    await terraform.plan().catch((error: unknown) => {
      if (!(error instanceof TerraformError)) throw error;
      for (const [, name = ''] of error.output.matchAll(/suitable\s+for\s+var\.(v\d+)/g)) {
        refused.add(name);
      }
    });
    const accepted = cases.filter(({ name }) => !refused.has(name));
    write(accepted);
    await terraform.apply();
    const values = await terraform.outputs();
    expect(refused.size).toBeGreaterThan(10);
    expect(cases.map((one) => ({ ...one, value: read(one.type, one.source) }))).toStrictEqual(
      cases.map((one) => ({ ...one, value: refused.has(one.name) ? undefined : values[one.name] })),
    );
  } finally {
    await terraform.close();
    await rm(folder, { recursive: true });
  }
});
