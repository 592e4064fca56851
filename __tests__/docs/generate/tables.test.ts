import { describe, expect, it } from 'vitest';
import {
  environmentMarkdown,
  errorsMarkdown,
  metricsMarkdown,
  outputsMarkdown,
  rulesMarkdown,
  variablesMarkdown,
} from '../../../docs/generate/tables.ts';
import { integer, text } from '../../../src/settings/variable.ts';

describe('the table of variables', () => {
  it('says name, type, default, what it does and in which unit, what is allowed, and an example', () => {
    const wait = integer(1, 9, { description: 'Waits.', unit: 'seconds', default: 2, example: 3 });
    expect(variablesMarkdown({ wait }).split('\n').at(-1)).toBe(
      '| `wait` | number | `2` | Waits. In seconds. | a whole number from 1 to 9 | `3` |',
    );
  });

  it('says which variable is required and which Terraform can change', () => {
    const name = text({ description: 'A name.', example: 'a', allowed: 'a|<b>', setAt: 'plan' });
    expect(variablesMarkdown({ name }).split('\n').at(-1)).toBe(
      '| `name` | string | **required** | A name. Also a Terraform variable (`-var`). | a\\|\\<b> | `"a"` |',
    );
  });

  it('has no example of a secret', () => {
    const secret = text({ description: 'S.', default: '', example: 'MARKER', sensitive: true });
    expect(variablesMarkdown({ secret })).not.toContain('MARKER');
  });
});

it('the table of outputs says name and meaning', () => {
  expect(outputsMarkdown({ url: { description: 'A URL' } })).toContain('| `url` | A URL |');
});

describe('the table of environment variables', () => {
  const variable = { description: 'A port.', example: '80', kind: { allowed: 'a number' } };

  it('says what a variable is, its default, what is allowed, and an example', () => {
    expect(environmentMarkdown({ PORT: { ...variable, default: '8080' } })).toContain(
      '| `PORT` | `8080` | A port. | a number | `80` |',
    );
  });

  it('names the form for a mounted file, and shows no example of a secret', () => {
    const secret = { ...variable, example: 'MARKER', secret: true, file: true } as const;
    expect(environmentMarkdown({ KEY: secret })).toContain(
      '| `KEY` |  | A port. Or `KEY_FILE` names a file with it. | a number |  |',
    );
  });
});

it('the table of errors is sorted by status', () => {
  const error = (status: number) => ({ status, template: 'No.' });
  expect(
    errorsMarkdown({ b: error(503), a: error(400) })
      .split('\n')
      .slice(2),
  ).toEqual(['| 400 | `a` | No. |', '| 503 | `b` | No. |']);
});

it('the table of rules says what holds, how severe a fault is, and which control it is of', () => {
  const rule = { id: 'a-b', title: 'It holds', severity: 'low', control: 'AC-3' };
  expect(rulesMarkdown([rule]).split('\n').at(-1)).toBe('| `a-b` | It holds | low | AC-3 |');
});

it('lists the metrics of the listener alone, by name', () => {
  const metric = (name: string) => ({ name, help: 'Counts.' });
  const metrics = ['file_processing_b', 'process_cpu', 'file_processing_a'].map(metric);
  expect(metricsMarkdown(metrics).split('\n').slice(2)).toEqual([
    '| `file_processing_a` | Counts. |',
    '| `file_processing_b` | Counts. |',
  ]);
});
