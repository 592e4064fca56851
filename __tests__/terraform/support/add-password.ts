import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOfSynth } from './output-of-synth.ts';

/** File in the stack's folder that shows that a password came. */
const ARRIVED = 'password-arrived';

// Run at the end of a test's main.ts: the Kubernetes provider may not be at hand, so
// a resource that Terraform itself brings along takes the password, as the Secret would at apply.
const file = join(outputOfSynth(), 'stacks', 'file-processing', 'cdk.tf.json');
const stack = JSON.parse(readFileSync(file, 'utf8'));
stack.variable.db_password = { type: 'string', sensitive: true, ephemeral: true, default: null };
stack.resource.terraform_data = {
  ...stack.resource.terraform_data,
  database: {
    input: 'database',
    provisioner: {
      'local-exec': {
        command: `test -n "$DB_PASSWORD" && touch ${ARRIVED}; echo "$DB_PASSWORD"`,
        environment: { DB_PASSWORD: '${var.db_password}' },
      },
    },
  },
};
writeFileSync(file, JSON.stringify(stack, undefined, 2));
