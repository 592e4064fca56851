import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readmeWithDiagram } from '../../documentation/readme-diagram.ts';
import { modelOfJson } from '../audit/support/stack-model.ts';
import { environmentStacks } from '../audit/support/stacks.ts';
import { ROOT } from '../support/run-main.ts';

it('the README has the picture of the stacks as it is now (npm run docs)', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  expect(readme).toBe(readmeWithDiagram(readme, modelOfJson(environmentStacks('etl-playground'))));
});

it('a picture of other stacks would be another', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const model = modelOfJson({ a: { resource: { aws_vpc: { main: {} } } } });
  expect(readmeWithDiagram(readme, model)).not.toBe(readme);
});
