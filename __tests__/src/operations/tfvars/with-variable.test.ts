import { describe, expect, it } from 'vitest';
import { withVariable } from '../../../../src/operations/tfvars/with-variable.ts';

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
    expect(JSON.parse(set('{"image": "", "oidc_thumbprint": "old"}', 'a.tfvars.json'))).toEqual({
      image: '',
      oidc_thumbprint: 'ab12',
    });
  });
});
