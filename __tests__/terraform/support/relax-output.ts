import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyForTerraform, relaxHclInPlace } from './synthesized-stack.ts';

// Run after main.ts by the `app` of a test's cdktf.json: the cdktf CLI synthesizes by itself before
// each command, and so deploys what the provider at hand accepts.
const output = process.env.CDKTF_OUTDIR;
if (!output) throw new Error('CDKTF_OUTDIR is not set: the cdktf CLI sets it for its app');
for (const stack of readdirSync(join(output, 'stacks'))) {
  const folder = join(output, 'stacks', stack);
  const isJson = existsSync(join(folder, 'cdk.tf.json'));
  await (isJson ? copyForTerraform(folder, folder) : relaxHclInPlace(folder));
}
