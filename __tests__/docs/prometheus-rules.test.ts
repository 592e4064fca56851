import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { listenerMetrics } from '../../docs/generate/sections.ts';
import { OPERATIONS } from '../../src/operations/operations.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

const { groups } = parse(
  readFileSync(new URL('../../docs/prometheus-rules.yaml', import.meta.url), 'utf8'),
) as { groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** Metrics that an expression reads, each with the text of its label matchers. */
const read = ({ expr }: Rule) =>
  [...expr.matchAll(/(file_processing_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', labels = '']) => ({
      name,
      labels: [...labels.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label, value = '']) => ({
        label,
        values: value.split('|'),
      })),
    }),
  );

test('the rules read metrics, with values of labels, that the listener has', async () => {
  const text = await listenerMetrics().registry.metrics();
  const found = rules.flatMap(read);
  expect(found.length).toBeGreaterThanOrEqual(rules.length);
  for (const { name, labels } of found) {
    expect(text).toContain(`# TYPE ${name} `);
    for (const { label, values } of labels) {
      for (const value of values) {
        expect(text).toMatch(new RegExp(`^${name}\\{[^}]*${label}="${value}"`, 'm'));
      }
    }
  }
});

test('there is a rule for everything that waits for somebody', () => {
  const names = rules.flatMap(read).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'file_processing_dead_letters',
      'file_processing_dead_messages',
      'file_processing_missing_reports',
      'file_processing_unmonitored_files',
      'file_processing_late_deliveries',
      'file_processing_missing_deliveries',
      'file_processing_oldest_waiting_seconds',
      'file_processing_judgements_without_verdict_total',
    ]),
  );
});

test('each rule has a name of its own, says what it means, and names a command of manage', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const commands = OPERATIONS.map(({ name }) => name);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^FileProcessing[A-Z]\w+$/);
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(commands).toContain(/^npm run manage -- (\S+)/.exec(annotations.action)?.[1]);
  }
});
