import { expect, test } from 'vitest';
import { nextStepOf } from '../../../../src/operations/terraform/next-step.ts';
import { fileProcessingSettings } from '../../../support/settings.ts';

const IMAGE = `registry.example.gov/file-processing@sha256:${'a'.repeat(64)}`;

const output = (value: unknown) => ({ load_balancer_hostname: { value, sensitive: false } });

test('without a URL, a name must point at the load balancer', () => {
  const settings = fileProcessingSettings({ image: IMAGE });
  expect(nextStepOf(settings, output('a1-b2.elb.us-gov-west-1.amazonaws.com'))).toContain(
    'the load balancer a1-b2.elb.us-gov-west-1.amazonaws.com',
  );
});

test.each([[output('')], [{}]])('the load balancer may be that of others: %j', (outputs) => {
  const settings = fileProcessingSettings({ image: IMAGE });
  expect(nextStepOf(settings, outputs)).toContain('the load balancer in front of the listener');
});

test.each([
  ['with a URL', { sns_endpoint_url: 'https://files.example.gov/', image: IMAGE }],
  ['with a queue', { delivery: 'sqs' as const, image: IMAGE }],
])('%s nothing is left', (_, values) => {
  expect(nextStepOf(fileProcessingSettings(values), output('host'))).toBeUndefined();
});

test('without an image, the listener comes first', () => {
  expect(nextStepOf(fileProcessingSettings(), {})).toContain('update-image');
});

test('without an image and without our Kubernetes objects, that is the business of others', () => {
  const settings = fileProcessingSettings({ manage_kubernetes: false });
  expect(nextStepOf(settings, {})).not.toContain('update-image');
});
