import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlOf } from '../../../../src/synthesized/views/yaml.ts';

describe('YAML', () => {
  it('is read back as it was, by YAML 1.1 as by 1.2', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        // YAML has no negative zero of its own.
        const expected = JSON.parse(JSON.stringify(value));
        for (const version of ['1.1', '1.2'] as const) {
          expect(parse(yamlOf(expected), { version })).toEqual(expected);
        }
      }),
    );
  });

  it.each([
    'yes',
    'No',
    'on',
    'null',
    '~',
    '1',
    '0x1F',
    '1e3',
    '.5',
    '1:30',
    '2001-01-01',
    '-',
    '- a',
    'a: b',
    'a:',
    'a #b',
    '#',
    '',
    ' a',
    '&a',
    '*a',
    '!a',
    '|',
    '%a',
    '@a',
    '`a',
    '{a}',
    '[a]',
    'a\nb',
    '\u2028',
    '\ufeff',
    '<<',
    '=',
  ])('keeps the text %j a text', (text) => {
    for (const version of ['1.1', '1.2'] as const) {
      expect(parse(yamlOf({ [text]: [text] }), { version })).toStrictEqual({ [text]: [text] });
    }
  });

  it('is in block style, plain where it can be', () => {
    expect(
      yamlOf({
        kind: 'Service',
        spec: { ports: [{ name: 'http', port: 80 }], empty: {}, none: [] },
      }),
    ).toBe(
      'kind: Service\nspec:\n  ports:\n    - name: http\n      port: 80\n  empty: {}\n  none: []\n',
    );
  });

  it('leaves out what is undefined', () => {
    expect(yamlOf({ a: undefined, b: { c: undefined } })).toBe('b: {}\n');
  });
});
