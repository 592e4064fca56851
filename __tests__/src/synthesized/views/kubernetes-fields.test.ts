import { expect, it } from 'vitest';
import { entryFor } from '../../../../src/synthesized/views/kubernetes-fields.ts';

const TABLE = { port: 'short', 'service.port': 'middle', 'Ingress.service.port': 'long' };

it.each([
  [['Pod', 'port'], 'short'],
  [['Pod', 'service', 'port'], 'middle'],
  [['Ingress', 'service', 'port'], 'long'],
  [['Ingress', 'spec', 'service', 'port'], 'middle'],
  [['port'], 'short'],
  [['Pod', 'target_port'], undefined],
  [[], undefined],
])('the longest key that fits %j counts', (path, entry) => {
  expect(entryFor(TABLE, path)).toBe(entry);
});
