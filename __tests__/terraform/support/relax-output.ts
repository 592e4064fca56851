import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { outputOfSynth } from './output-of-synth.ts';
import { copyForTerraform, relaxHclInPlace } from './synthesized-stack.ts';

// Run at the end of a test's main.ts: the cdktf CLI and `manage` synthesize by themselves before each
// command, and so deploy what the provider at hand accepts.
const output = outputOfSynth();
for (const stack of readdirSync(join(output, 'stacks'))) {
  const folder = join(output, 'stacks', stack);
  const isJson = existsSync(join(folder, 'cdk.tf.json'));
  await (isJson ? copyForTerraform(folder, folder) : relaxHclInPlace(folder));
}
