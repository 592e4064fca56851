import type { CloudwatchMetricAlarmConfig } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import type { Construct } from 'constructs';
import type { PostgresOnDemandSettings } from '../settings/postgres-on-demand-variables.ts';
import { LightResource } from '../stack/light-resource.ts';

/** What the alarms are made from. */
export interface AlarmsProps {
  readonly settings: PostgresOnDemandSettings;
  /** Identifier of the database. */
  readonly name: string;
  /** Dimensions of its metrics. */
  readonly dimensions: Readonly<Record<string, string>>;
}

type Alarm = Pick<
  CloudwatchMetricAlarmConfig,
  'alarmDescription' | 'metricName' | 'statistic' | 'threshold' | 'comparisonOperator'
>;

/** Share of the processor, and of the most capacity, above which it is too busy. */
const BUSY_PERCENT = 80;

/** Share of the storage it started with that must be free; RDS grows it at a tenth, if it may. */
const FREE_SHARE = 0.05;

const GIB = 1024 ** 3;

/** An alarm for each thing that a database runs out of; they go off after three times five minutes. */
export function createAlarms(scope: Construct, { settings, name, dimensions }: AlarmsProps): void {
  const actions = settings.alarm_topic_arn ? [settings.alarm_topic_arn] : [];
  for (const [id, alarm] of Object.entries(alarmsOf(settings))) {
    new LightResource<CloudwatchMetricAlarmConfig>(
      scope,
      `database_${id}`,
      'aws_cloudwatch_metric_alarm',
      {
        alarmName: `${name}-${id}`,
        namespace: 'AWS/RDS',
        comparisonOperator: 'GreaterThanThreshold',
        ...alarm,
        dimensions: { ...dimensions },
        period: 300,
        evaluationPeriods: 3,
        // A stopped or paused database has no figures.
        treatMissingData: 'notBreaching',
        alarmActions: actions,
        okActions: actions,
      },
    );
  }
}

/** The alarms of an engine, by their names in Terraform; the addresses are an interface. */
function alarmsOf(settings: PostgresOnDemandSettings): Readonly<Record<string, Partial<Alarm>>> {
  const { alarm_connections, allocated_storage_gib } = settings;
  return {
    cpu: {
      alarmDescription: `The database has used over ${BUSY_PERCENT} % of its processors for 15 minutes.`,
      metricName: 'CPUUtilization',
      statistic: 'Average',
      threshold: BUSY_PERCENT,
    },
    connections: {
      alarmDescription: `The database has had over ${alarm_connections} connections for 15 minutes.`,
      metricName: 'DatabaseConnections',
      statistic: 'Maximum',
      threshold: alarm_connections,
    },
    ...(settings.engine === 'rds'
      ? {
          storage: {
            alarmDescription:
              'The database is running out of storage: a full one stops, and then no message is accepted.',
            metricName: 'FreeStorageSpace',
            statistic: 'Minimum',
            threshold: Math.round(allocated_storage_gib * FREE_SHARE * GIB),
            comparisonOperator: 'LessThanThreshold',
          },
        }
      : {
          capacity: {
            alarmDescription: `The database has used over ${BUSY_PERCENT} % of max_capacity_acu for 15 minutes.`,
            metricName: 'ACUUtilization',
            statistic: 'Average',
            threshold: BUSY_PERCENT,
          },
        }),
  };
}
