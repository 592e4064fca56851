import { SnsTopic } from '@cdktf/provider-aws/lib/sns-topic/index.js';
import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import { describe, expect, it } from 'vitest';

const SYNTHESIZED = JSON.stringify({
  provider: { aws: [{ region: 'us-gov-west-1' }] },
  resource: { aws_sqs_queue: { letters: { name: 'dead', tags: { a: 'b' } } } },
  data: { aws_vpcs: { found: { filter: [] } } },
  output: { url: { value: 'x' } },
  variable: { image: { type: 'string' } },
});

describe("cdktf's own matchers", () => {
  it('work in vitest', () => {
    expect(SYNTHESIZED).toHaveResource(SqsQueue);
    expect(SYNTHESIZED).not.toHaveResource(SnsTopic);
    expect(SYNTHESIZED).toHaveResourceWithProperties(SqsQueue, { name: 'dead' });
    expect(SYNTHESIZED).not.toHaveResourceWithProperties(SqsQueue, { name: 'alive' });
  });
});

describe('our matchers', () => {
  it('find a resource by its address', () => {
    expect(SYNTHESIZED).toHaveResourceAt('aws_sqs_queue.letters');
    expect(SYNTHESIZED).toHaveResourceAt('aws_sqs_queue.letters', {
      name: expect.stringMatching(/^d/),
    });
    expect(SYNTHESIZED).not.toHaveResourceAt('aws_sqs_queue.letters', { name: 'alive' });
    expect(SYNTHESIZED).not.toHaveResourceAt('aws_sqs_queue.other');
    expect(SYNTHESIZED).not.toHaveResourceAt('aws_sns_topic.letters');
  });

  it('find a data source by its address', () => {
    expect(SYNTHESIZED).toHaveDataSourceAt('data.aws_vpcs.found', { filter: [] });
    expect(SYNTHESIZED).not.toHaveDataSourceAt('data.aws_vpcs.other');
  });

  it('find a provider, an output and a variable by name', () => {
    expect(SYNTHESIZED).toHaveProviderNamed('aws', { region: 'us-gov-west-1' });
    expect(SYNTHESIZED).not.toHaveProviderNamed('kubernetes');
    expect(SYNTHESIZED).toHaveOutputNamed('url', { value: 'x' });
    expect(SYNTHESIZED).not.toHaveOutputNamed('constructor');
    expect(SYNTHESIZED).toHaveVariableNamed('image', { type: 'string' });
    expect(SYNTHESIZED).not.toHaveVariableNamed('image', { type: 'number' });
  });

  it('say what there is and what was expected', () => {
    expect(() => expect(SYNTHESIZED).toHaveOutputNamed('other')).toThrow(
      'there is no output other',
    );
    expect(() => expect(SYNTHESIZED).toHaveOutputNamed('url', { value: 'y' })).toThrow(
      'output url does not match',
    );
  });
});
