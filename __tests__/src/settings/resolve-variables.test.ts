import { describe, expect, it } from 'vitest';
import { formatFinding } from '../../../src/settings/finding.ts';
import { resolveVariables } from '../../../src/settings/resolve-variables.ts';
import type { TfvarsValue } from '../../../src/settings/tfvars/tfvars-value.ts';
import {
  choice,
  flag,
  integer,
  objectList,
  text,
  textList,
  textMap,
} from '../../../src/settings/variable.ts';

const table = {
  name: text({ description: 'A name.', example: 'a', allowed: 'lower case', pattern: /^[a-z]+$/ }),
  count: integer(1, 9, { description: 'A count.', default: 2, example: 3 }),
  mode: choice(['on', 'off'], { description: 'A mode.', default: 'on', example: 'off' }),
  enabled: flag({
    description: 'A switch.',
    default: false,
    example: true,
    unwise: (on) => (on ? 'is dangerous' : undefined),
  }),
  zones: textList({
    description: 'Zones.',
    default: [],
    example: ['a'],
    allowed: 'a list of single letters',
    acceptsItem: (item) => item.length === 1,
  }),
  labels: textMap({ description: 'Labels.', default: {}, example: {} }),
  doors: objectList(
    {
      name: text({
        description: 'A name.',
        example: 'a',
        allowed: 'lower case',
        pattern: /^[a-z]+$/,
      }),
      locks: integer(1, 3, { description: 'Locks.', default: 1, example: 1 }),
      keys: textList({
        description: 'Keys.',
        default: [],
        example: ['a'],
        allowed: 'a list of single letters',
        acceptsItem: (item) => item.length === 1,
      }),
    },
    { description: 'Doors.', default: [], example: [{ name: 'a', locks: 1, keys: [] }] },
  ),
  secret: text({
    description: 'A secret.',
    default: '',
    example: '',
    allowed: 'at least four characters',
    accepts: (value) => value.length >= 4,
    sensitive: true,
  }),
};

function resolve(values: Readonly<Record<string, TfvarsValue>>) {
  const assignments = Object.entries(values).map(([name, value], index) => ({
    file: 'x.tfvars',
    line: index + 1,
    name,
    value,
  }));
  return resolveVariables('x.tfvars', assignments, table);
}

const faultsOf = (values: Readonly<Record<string, TfvarsValue>>) =>
  resolve(values).faults.map(formatFinding);

describe('settings', () => {
  it('have the defaults of what is left out, and of what is null', () => {
    expect(resolve({ name: 'a', count: null }).settings).toStrictEqual({
      name: 'a',
      count: 2,
      mode: 'on',
      enabled: false,
      zones: [],
      labels: {},
      doors: [],
      secret: '',
    });
  });

  it('have objects whose attributes are converted and filled like variables', () => {
    const { settings, faults } = resolve({
      name: 'a',
      doors: [
        { name: 'b', locks: '2' },
        { name: 'c', locks: null, keys: ['d'] },
      ],
    });
    expect(faults).toStrictEqual([]);
    expect(settings.doors).toStrictEqual([
      { name: 'b', locks: 2, keys: [] },
      { name: 'c', locks: 1, keys: ['d'] },
    ]);
    expect(Object.isFrozen(settings.doors[0])).toBe(true);
  });

  it('name the attribute at fault in every object', () => {
    expect(
      faultsOf({ name: 'a', doors: [{ locks: 4 }, { name: 'B', keys: ['d', 'ef'] }] }),
    ).toStrictEqual([
      'x.tfvars:2: doors[0].name: is required; must be lower case',
      'x.tfvars:2: doors[0].locks = 4: must be a whole number from 1 to 3',
      'x.tfvars:2: doors[1].name = "B": must be lower case',
      'x.tfvars:2: doors[1].keys[1] = "ef": must be a list of single letters',
    ]);
  });

  it.each([
    ['a map', { name: 'b' }],
    ['a list of strings', ['b']],
    ['a text', 'b'],
  ])('refuse %s where a list of objects is wanted', (_, doors) => {
    expect(faultsOf({ name: 'a', doors })).toStrictEqual([
      `x.tfvars:2: doors = ${JSON.stringify(doors)}: must be a list of objects`,
    ]);
  });

  it('warn of an attribute that no object has', () => {
    const { warnings } = resolve({ name: 'a', doors: [{ name: 'b', lock: 2 }] });
    expect(warnings.map(formatFinding)).toStrictEqual([
      'x.tfvars:2: doors[0].lock: is not an attribute of doors and is ignored; did you mean locks?',
    ]);
  });

  it('are frozen through and through', () => {
    const { settings } = resolve({ name: 'a', zones: ['b'], labels: { c: 'd' } });
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.zones)).toBe(true);
    expect(Object.isFrozen(settings.labels)).toBe(true);
  });

  it.each([
    ['a number in quotes', { count: '7' }, { count: 7 }],
    ['a number with a sign and an exponent in quotes', { count: '+.7e1' }, { count: 7 }],
    ['a switch in quotes', { enabled: 'true' }, { enabled: true }],
    ['a switch as a digit in quotes', { enabled: '1' }, { enabled: true }],
    ['a number where a string is wanted', { name: 'a', labels: { c: 5 } }, { labels: { c: '5' } }],
    ['a switch in a list of strings', { labels: { c: true } }, { labels: { c: 'true' } }],
  ])('convert %s as Terraform does', (_, given, expected) => {
    const { settings, faults } = resolve({ name: 'a', ...given });
    expect(faults).toEqual([]);
    expect(settings).toMatchObject(expected);
  });
});

describe('faults', () => {
  it.each([
    ['a variable that is required', {}, 'x.tfvars: name: is required; must be lower case'],
    ['a value of another type', { name: ['a'] }, 'x.tfvars:1: name = ["a"]: must be lower case'],
    [
      'a value out of bounds',
      { name: 'a', count: 10 },
      'x.tfvars:2: count = 10: must be a whole number from 1 to 9',
    ],
    [
      'a fraction',
      { name: 'a', count: 1.5 },
      'x.tfvars:2: count = 1.5: must be a whole number from 1 to 9',
    ],
    [
      'a word for a number',
      { name: 'a', count: 'two' },
      'x.tfvars:2: count = "two": must be a whole number from 1 to 9',
    ],
    [
      'a word for a switch',
      { name: 'a', enabled: 'yes' },
      'x.tfvars:2: enabled = "yes": must be true or false',
    ],
    [
      'a choice that there is not',
      { name: 'a', mode: 'maybe' },
      'x.tfvars:2: mode = "maybe": must be one of "on", "off"',
    ],
    [
      'one item of a list',
      { name: 'a', zones: ['b', 'cc'] },
      'x.tfvars:2: zones[1] = "cc": must be a list of single letters',
    ],
    [
      'a string for a list',
      { name: 'a', zones: 'b' },
      'x.tfvars:2: zones = "b": must be a list of single letters',
    ],
    [
      'a null in a list',
      { name: 'a', zones: [null] },
      'x.tfvars:2: zones = [null]: must be a list of single letters',
    ],
    [
      'a list for a map',
      { name: 'a', labels: ['b'] },
      'x.tfvars:2: labels = ["b"]: must be a map of strings',
    ],
  ])('name %s', (_, given, expected) => {
    expect(faultsOf(given)).toEqual([expected]);
  });

  const tags = {
    tags: textMap({
      description: 'Tags.',
      default: {},
      example: {},
      allowed: 'a map of two letters',
      accepts: (tags) =>
        Object.keys(tags).length <= 2 && Object.keys(tags).every((key) => /^[a-z]$/.test(key)),
    }),
  };
  const faultsOfTags = (value: TfvarsValue) =>
    resolveVariables('a', [{ file: 'a', line: 1, name: 'tags', value }], tags).faults.map(
      formatFinding,
    );

  it('name each entry of a map that would be refused alone', () => {
    expect(faultsOfTags({ b: 'c', 'aws:d': 'e', F: 'g' })).toEqual([
      'a:1: tags["aws:d"] = "e": must be a map of two letters',
      'a:1: tags["F"] = "g": must be a map of two letters',
    ]);
  });

  it('name a map of which no single entry is at fault', () => {
    expect(faultsOfTags({ b: 'c', d: 'e', f: 'g' })).toEqual([
      'a:1: tags = {"b":"c","d":"e","f":"g"}: must be a map of two letters',
    ]);
  });

  it('say of a number in a list of texts what it may have lost', () => {
    expect(faultsOf({ name: 'a', zones: [1.5] })).toEqual([
      expect.stringMatching(/^x\.tfvars:2: zones\[0\] = 1\.5: must be .*; write it in quotes, /),
    ]);
  });

  it('are all reported at once', () => {
    expect(faultsOf({ name: 'A', count: 0, mode: 'x', zones: ['yy', 'zz'] })).toHaveLength(5);
  });

  it('never show a sensitive value', () => {
    const faults = faultsOf({ name: 'a', secret: 'abc' });
    expect(faults).toEqual(['x.tfvars:2: secret: must be at least four characters']);
  });
});

describe('numbers in the place of a text', () => {
  const version = {
    version: text({ description: '.', default: '', example: '', pattern: /^1\.\d+$/ }),
  };
  const read = (value: TfvarsValue) =>
    resolveVariables('a.tfvars', [{ file: 'a.tfvars', line: 1, name: 'version', value }], version);

  it('are taken, with a warning of the zeros that they lose', () => {
    const { settings, warnings } = read(1.3);
    expect(settings.version).toBe('1.3');
    expect(warnings.map(formatFinding)).toEqual([
      'a.tfvars:1: version = 1.3: is a number: write it in quotes, because a number loses zeros at its ends (1.30 is 1.3)',
    ]);
    expect(read('1.3').warnings).toEqual([]);
  });

  it('are refused with a word of the quotes that they lack', () => {
    expect(read(2).faults.map(formatFinding)).toEqual([
      expect.stringMatching(/^a\.tfvars:1: version = 2: must be a string; write it in quotes, /),
    ]);
  });
});

describe('warnings', () => {
  it('name an unknown variable, without its value, and the nearest known one', () => {
    const { warnings } = resolve({ name: 'a', cuont: 'S3cret' });
    expect(warnings.map(formatFinding)).toEqual([
      'x.tfvars:2: cuont: is not a variable of this stack and is ignored; did you mean count?',
    ]);
  });

  it('do not take a property of every object for a known variable', () => {
    expect(resolve({ name: 'a', constructor: 'b' }).warnings).toHaveLength(1);
  });

  it('say what is unwise', () => {
    expect(resolve({ name: 'a', enabled: true }).warnings.map(formatFinding)).toEqual([
      'x.tfvars:2: enabled = true: is dangerous',
    ]);
  });
});

describe('a list of a hundred thousand faults', () => {
  const MANY = 150_000;

  it('is reported, where the faults are in the items', () => {
    const { faults } = resolve({ name: 'a', zones: Array(MANY).fill('long') });
    expect(faults).toHaveLength(MANY);
  });

  it('is reported, where the faults are in objects', () => {
    const { faults, warnings } = resolve({ name: 'a', doors: Array(MANY).fill({ nmae: 'a' }) });
    expect([faults.length, warnings.length]).toEqual([MANY, MANY]);
  });
});

describe('sensitive variables', () => {
  it('are known to be given, but their value is dropped', () => {
    const resolved = resolve({ name: 'a', secret: 'MARKER' });
    expect([...resolved.secretsGiven]).toEqual(['secret']);
    expect(JSON.stringify([resolved.settings, resolved.warnings, resolved.faults])).not.toContain(
      'MARKER',
    );
  });

  it('are not given when empty', () => {
    expect(resolve({ name: 'a', secret: '' }).secretsGiven.size).toBe(0);
  });
});

it('must not hold what cdktf would take for a reference of its own', () => {
  expect(faultsOf({ name: 'a', labels: { team: 'x ${TfToken[TOKEN.1]}' } })).toStrictEqual([
    'x.tfvars:2: labels: must not contain {TfToken[, which cdktf reserves',
  ]);
});
