import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOfSynth } from './output-of-synth.ts';

// Run at the end of a test's main.ts: the binary of the Kubernetes provider may not be at hand, so resources that
// Terraform itself brings along stand for the Kubernetes objects. They change when the objects would, and depend on
// the same, so that Terraform goes through them in the same order.
const file = join(outputOfSynth(), 'stacks', 'file-processing', 'cdk.tf.json');
const stack = JSON.parse(readFileSync(file, 'utf8'));
const asData = (text: string) =>
  text.replaceAll(/\bkubernetes_(\w+?)_v\d\.(\w+)/g, 'terraform_data.$1_$2');

type Block = { readonly depends_on?: readonly string[] };

const data: Record<string, object> = { ...stack.resource.terraform_data };
for (const [type, named] of Object.entries<Record<string, object>>(stack.resource)) {
  if (!type.startsWith('kubernetes_')) continue;
  for (const [name, block] of Object.entries(named)) {
    const { depends_on: dependsOn = [], ...values } = block as Block;
    const text = asData(JSON.stringify(values));
    const references = [...text.matchAll(/\$\{[^}]*?\b((?:aws_\w+|terraform_data)\.\w+)/g)].map(
      ([, to]) => String(to),
    );
    const ofData = references.filter((to) => to.startsWith('terraform_data.'));
    const hash = createHash('sha256').update(text).digest('hex');
    data[asData(`${type}.${name}`).replace('terraform_data.', '')] = {
      // With what it takes from others, as a Deployment the checksum of its ConfigMap.
      input: [hash, ...ofData.map((to) => `\${${to}.input}`)].join(' '),
      depends_on: [...new Set([...dependsOn.map(asData), ...references])],
    };
  }
  delete stack.resource[type];
}
stack.resource.terraform_data = data;
delete stack.provider.kubernetes;
delete stack.terraform.required_providers.kubernetes;
for (const output of Object.values<{ value: unknown }>(stack.output)) {
  if (String(output.value).includes('kubernetes_')) output.value = '';
}
writeFileSync(file, asData(JSON.stringify(stack, undefined, 2)));
