import { configMapKey, pathOfConfigMapKey } from '@file-processing/contract/rule-set.ts';
import { expect, test } from 'vitest';

test.each([
  ['mappings/a.yaml', 'mappings..a.yaml'],
  [
    'monitoring_files/nm/albuquerque/officer-detail.v1.json',
    'monitoring_files..nm..albuquerque..officer-detail.v1.json',
  ],
])('%s has the key %s of a ConfigMap, and the key leads back', (path, key) => {
  expect(configMapKey(path)).toBe(key);
  expect(pathOfConfigMapKey(key)).toBe(path);
});

test.each([
  ['with a blank', 'mappings/officer detail.yaml'],
  ['with a letter that no key has', 'mappings/señas.yaml'],
  ['with two dots in a row', 'mappings/a..b.yaml'],
  ['with a folder that ends in a dot', 'mappings/nm./a.yaml'],
  ['of more characters than a key has', `mappings/${'a'.repeat(250)}.yaml`],
  ['that is not a file of a rule set', 'mappings/a.csv'],
])('a path %s has no key', (_, path) => {
  expect(configMapKey(path)).toBeUndefined();
});

test.each(['config', '..data', 'mappings..', 'mappings', 'mappings...a.yaml', 'rules..a.yaml'])(
  'the key %s stands for no file of a rule set',
  (key) => {
    expect(pathOfConfigMapKey(key)).toBeUndefined();
  },
);
