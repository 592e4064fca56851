import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt, type SynthesizedStack } from '../../support/synthesized.ts';
import { synthesizePostgres } from '../../support/synthesized-postgres.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call';

const synthesize = (overrides: Parameters<typeof synthesizePostgres>[0] = {}): SynthesizedStack =>
  JSON.parse(synthesizePostgres({ alarm_topic_arn: TOPIC, ...overrides }));
const alarm = (json: SynthesizedStack, name: string) =>
  resourceAt(json, `aws_cloudwatch_metric_alarm.database_${name}`);

describe('Alarms', () => {
  it.each([
    ['rds', 'storage'],
    ['aurora', 'capacity'],
  ] as const)('watch the processor, the connections and, of %s, the %s', (engine, other) => {
    expect(namesOf(synthesize({ engine }), 'aws_cloudwatch_metric_alarm')).toEqual(
      ['connections', 'cpu', other].map((name) => `database_${name}`).sort(),
    );
  });

  it('call the topic, when they go off and when it is over', () => {
    expect(alarm(synthesize(), 'cpu')).toMatchObject({
      alarm_actions: [TOPIC],
      ok_actions: [TOPIC],
    });
  });

  it('call nobody without a topic', () => {
    expect(alarm(synthesize({ alarm_topic_arn: '' }), 'cpu').alarm_actions).toEqual([]);
  });

  it('are about the instance of RDS, and the whole cluster of Aurora', () => {
    expect(alarm(synthesize(), 'cpu').dimensions).toEqual({
      DBInstanceIdentifier: '${aws_db_instance.database.identifier}',
    });
    expect(alarm(synthesize({ engine: 'aurora' }), 'cpu').dimensions).toEqual({
      DBClusterIdentifier: '${aws_rds_cluster.database.cluster_identifier}',
    });
  });

  it('go off at the given number of connections', () => {
    expect(alarm(synthesize({ alarm_connections: 7 }), 'connections')).toMatchObject({
      metric_name: 'DatabaseConnections',
      comparison_operator: 'GreaterThanThreshold',
      threshold: 7,
    });
  });

  it('go off when a twentieth of the storage is free, later than RDS would have grown it', () => {
    expect(alarm(synthesize({ allocated_storage_gib: 80 }), 'storage')).toMatchObject({
      metric_name: 'FreeStorageSpace',
      comparison_operator: 'LessThanThreshold',
      threshold: 4 * 1024 ** 3,
    });
  });
});
