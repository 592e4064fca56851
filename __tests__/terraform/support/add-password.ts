import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** File in the stack's folder that shows that a password came. */
const ARRIVED = 'password-arrived';

// Run after main.ts by the synth of a test's checkout: the Kubernetes provider may not be at hand, so
// a resource that Terraform itself brings along takes the password, as the Secret would at apply.
const output = process.env.CDKTF_OUTDIR;
if (!output) throw new Error('CDKTF_OUTDIR is not set');
const file = join(output, 'stacks', 'file-processing', 'cdk.tf.json');
const stack = JSON.parse(readFileSync(file, 'utf8'));
stack.variable.db_password = { type: 'string', sensitive: true, ephemeral: true, default: null };
stack.resource.terraform_data = {
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
