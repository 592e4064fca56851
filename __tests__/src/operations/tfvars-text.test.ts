import { describe, expect, it } from 'vitest';
import { tfvarsText, withVariable } from '../../../src/operations/tfvars-text.ts';
import { readHclLiterals } from '../../../src/settings/tfvars/hcl-literals.ts';
import { flag, integer, text, textList } from '../../../src/settings/variable.ts';

describe('a new tfvars file', () => {
  const table = {
    name: text({ description: 'Name of it.', default: '', example: 'etl' }),
    port: integer(1, 9999, { description: 'Its port.', default: 80, example: 8080 }),
    on: flag({ description: 'Whether it is on.', default: false, example: true }),
    blocks: textList({ description: 'word '.repeat(40).trim(), default: [], example: ['a', 'b'] }),
  };
  const written = (answers: Readonly<Record<string, string>>) =>
    tfvarsText({
      ...{ heading: 'A file', table, names: Object.keys(table) },
      answers: new Map(Object.entries(answers)),
    });

  it('has the answers, each below its description', () => {
    const file = written({
      name: 'x',
      port: '8443',
      on: 'true',
      blocks: '10.0.0.0/16, 10.1.0.0/16',
    });
    expect(file).toMatch(/^# A file\n\n# Name of it\.\nname = "x"\n\n# Its port\.\nport = 8443\n/);
    expect(readHclLiterals(file)).toMatchObject({
      assignments: [
        { name: 'name', value: 'x' },
        { name: 'port', value: 8443 },
        { name: 'on', value: true },
        { name: 'blocks', value: ['10.0.0.0/16', '10.1.0.0/16'] },
      ],
      faults: [],
    });
  });

  it('has examples as comments where nothing was answered', () => {
    const file = written({ name: '' });
    expect(file).toContain('# name = "etl"\n');
    expect(file).toContain('# port = 8080\n');
    expect(file).toContain('# blocks = ["a", "b"]\n');
    expect(readHclLiterals(file)).toStrictEqual({ assignments: [], faults: [] });
  });

  it('has lines that fit a screen', () => {
    expect(
      Math.max(
        ...written({})
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });
});

const set = (text: string, file = 'a.tfvars') =>
  withVariable(file, text, 'oidc_thumbprint', 'ab12');

describe('a variable of a tfvars file', () => {
  it('is replaced in its line, with what stands around it', () => {
    expect(set('# one\noidc_thumbprint   = "old" # why\nimage = ""\n')).toBe(
      '# one\noidc_thumbprint   = "ab12" # why\nimage = ""\n',
    );
  });

  it('is appended where it is missing', () => {
    expect(set('image = ""')).toBe('image = ""\noidc_thumbprint = "ab12"\n');
  });

  it('is not looked for in comments and texts', () => {
    const text = '# oidc_thumbprint = "old"\nimage = <<E\noidc_thumbprint = "old"\nE\n';
    expect(set(text)).toBe(`${text}oidc_thumbprint = "ab12"\n`);
  });

  it('is left alone where it can’t be replaced safely', () => {
    expect(() => set('oidc_thumbprint = <<E\nold\nE\n')).toThrow(
      "a.tfvars:1: oidc_thumbprint can't be replaced there",
    );
  });

  it('is replaced in JSON too', () => {
    expect(
      JSON.parse(set('{"image": "", "oidc_thumbprint": "old"}', 'a.tfvars.json')),
    ).toStrictEqual({
      image: '',
      oidc_thumbprint: 'ab12',
    });
  });
});
