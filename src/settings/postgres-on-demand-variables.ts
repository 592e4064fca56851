import { alarmTopic, commonVariables } from './common-variables.ts';
import { existingNetworkVariables } from './existing-network.ts';
import { choice, flag, halves, integer, oneOf, type SettingsOf, text } from './variable.ts';

/** Identifiers of RDS (Amazon RDS API, CreateDBInstance), short enough for the names that are made from one. */
const IDENTIFIER = /^(?=.{1,48}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const IDENTIFIER_WORDS =
  '1 to 48 lower-case letters, digits and single hyphens, starting with a letter';

/** A time of day in UTC. */
const TIME = '([01]\\d|2[0-3]):[0-5]\\d';
const DAY = '(mon|tue|wed|thu|fri|sat|sun)';

/** The user that RDS makes with the database; its password is in Secrets Manager alone. */
export const MASTER_USER = 'postgres_admin';

/** The variables of `postgres_on_demand.tfvars`. */
export const postgresOnDemandVariables = {
  ...commonVariables,
  ...existingNetworkVariables,

  identifier: text({
    description:
      'Name of the database in RDS, by which file-processing finds it. Empty means <foundation_name_prefix>-postgres. Fixed at the first deploy: another one is another database.',
    default: '',
    example: 'etl-platform-postgres',
    allowed: IDENTIFIER_WORDS,
    accepts: isDatabaseIdentifier,
  }),
  engine: choice(['rds', 'aurora'], {
    description:
      'RDS for PostgreSQL on an instance of a fixed size, or Aurora PostgreSQL Serverless v2, whose capacity follows the load. Fixed at the first deploy.',
    default: 'rds',
    example: 'rds',
  }),
  engine_version: text({
    description:
      'Version of PostgreSQL: a major one, whose minor versions AWS then keeps up to date, or the minor one to start from, which you must raise here too once AWS has gone beyond it.',
    default: '17',
    example: '17',
    allowed: 'a version from 15 to 18, such as 17 or 17.6',
    accepts: (value) => /^1[5-8](\.\d{1,2})?$/.test(value),
  }),
  allow_major_version_upgrade: flag({
    description:
      'Lets a change of engine_version go to the next major version, which makes the database unavailable for minutes and can only be undone from a snapshot.',
    default: false,
    example: true,
  }),
  db_name: text({
    description:
      'Name of the database in it. Read when it is created; this stack does not apply later changes.',
    default: 'file_processing',
    example: 'etl_db',
    allowed: 'a letter, then up to 62 letters, digits and underscores; not rdsadmin or template1',
    accepts: (value) =>
      /^[A-Za-z]\w{0,62}$/.test(value) && !/^(rdsadmin|template[01])$/i.test(value),
  }),
  db_port: integer(1150, 65_535, {
    description: 'Port of the database.',
    default: 5432,
    example: 5432,
  }),

  instance_class: text({
    description: 'Size of the instance, with engine = "rds".',
    default: 'db.t4g.medium',
    example: 'db.m7g.large',
    allowed: 'an instance class of RDS, such as db.t4g.medium',
    accepts: (value) =>
      /^db\.[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(value) && value !== 'db.serverless',
  }),
  allocated_storage_gib: integer(20, 65_536, {
    description: 'Storage (gp3) to start with, with engine = "rds". It can grow, never shrink.',
    unit: 'GiB',
    default: 20,
    example: 100,
  }),
  max_allocated_storage_gib: integer(0, 65_536, {
    description:
      'Storage that RDS may grow to automatically, with engine = "rds": at least a tenth more than allocated_storage_gib, or 0 for never.',
    unit: 'GiB',
    default: 100,
    example: 500,
    unwise: (size) =>
      size === 0 ? 'storage does not grow by itself: a full one stops the database' : undefined,
  }),
  min_capacity_acu: halves(0, 256, {
    description:
      'Least capacity, with engine = "aurora" (an Aurora capacity unit is about 2 GiB of memory). With 0, it pauses after seconds_until_auto_pause without a connection; a running listener is always connected, so it pauses only while none is running.',
    unit: 'Aurora capacity units',
    default: 0.5,
    example: 0,
  }),
  max_capacity_acu: halves(1, 256, {
    description: 'Most capacity, with engine = "aurora".',
    unit: 'Aurora capacity units',
    default: 4,
    example: 16,
  }),
  seconds_until_auto_pause: integer(300, 86_400, {
    description:
      'How long nobody must have been connected before it pauses, with min_capacity_acu = 0.',
    unit: 'seconds',
    default: 300,
    example: 3600,
  }),
  multi_az: flag({
    description:
      'A second instance in another zone, which takes over when the first one or its zone fails. It doubles the cost of instances; without it the audit has a finding.',
    default: true,
    example: true,
    unwise: (on) =>
      on ? undefined : 'when its zone fails the database is away until AWS has restored it',
  }),

  backup_retention_days: integer(7, 35, {
    description: 'How far back the database can be restored to any second.',
    unit: 'days',
    default: 14,
    example: 35,
  }),
  backup_window: text({
    description: 'When the daily backup is taken, in UTC; it must not overlap maintenance_window.',
    default: '03:00-04:00',
    example: '03:00-04:00',
    allowed: 'hh:mm-hh:mm of at least 30 minutes',
    accepts: (value) =>
      new RegExp(`^${TIME}-${TIME}$`).test(value) && minutesOfWindow(value).length >= 30,
  }),
  maintenance_window: text({
    description: 'When AWS may install minor versions and patches, in UTC.',
    default: 'sun:05:00-sun:06:00',
    example: 'sun:05:00-sun:06:00',
    allowed: 'ddd:hh:mm-ddd:hh:mm of at least 30 minutes and less than a day',
    accepts: (value) =>
      new RegExp(`^${DAY}:${TIME}-${DAY}:${TIME}$`).test(value) &&
      minutesOfWindow(value).length >= 30 &&
      minutesOfWindow(value).length < DAY_MINUTES,
  }),
  apply_immediately: flag({
    description:
      'Applies changes at once, even those that restart the database. With false, they wait for maintenance_window, and every plan until then shows them again.',
    default: true,
    example: false,
  }),
  deletion_protection: flag({
    description:
      'AWS refuses to delete the database as long as this is true; false is a finding of the audit.',
    default: true,
    example: true,
    unwise: (on) => (on ? undefined : 'one destroy deletes the database'),
  }),
  final_snapshot_identifier: text({
    description:
      'Name of the snapshot that is left when the database is deleted. Empty means <identifier>-final. AWS refuses to delete while one of the name exists: before a second destroy name another.',
    default: '',
    example: 'etl-platform-postgres-2027',
    allowed: '1 to 255 letters, digits and single hyphens, starting with a letter',
    accepts: (value) => value.length <= 255 && /^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/.test(value),
  }),
  restore_from_snapshot: text({
    description:
      'Snapshot that the database is made from. Read when it is made; later changes are not applied. With engine = "rds" the key of this stack must encrypt it, as it does a final snapshot after manage destroy; copy others under that key first.',
    default: '',
    example: 'etl-platform-postgres-final',
    allowed: 'the name or the ARN of a snapshot',
    accepts: (value) => /^[\w:-]{1,400}$/.test(value),
  }),

  monitoring_interval_seconds: oneOf([0, 1, 5, 10, 15, 30, 60], {
    description:
      'How often RDS writes figures of the operating system to the log group RDSOSMetrics of the account; 0 for never.',
    unit: 'seconds',
    default: 60,
    example: 60,
    unwise: (seconds) =>
      seconds === 0 ? 'nobody can tell later what used memory, disk or CPU' : undefined,
  }),
  alarm_topic_arn: alarmTopic('of the database'),
  alarm_connections: integer(1, 5000, {
    description:
      'Connections above which an alarm goes off. The most that an instance takes follows from its memory.',
    default: 200,
    example: 400,
  }),
};

/** Checked settings of the postgres-on-demand stack, under the names of the tfvars file. */
export type PostgresOnDemandSettings = SettingsOf<typeof postgresOnDemandVariables>;

type Named = Pick<PostgresOnDemandSettings, 'identifier' | 'foundation_name_prefix'>;

/** Name of the database in RDS. */
export function databaseIdentifier({ identifier, foundation_name_prefix }: Named): string {
  return identifier || `${foundation_name_prefix.toLowerCase()}-postgres`;
}

/** Names of its instances in RDS: with Aurora they are members of a cluster that has the name. */
export function instanceIdentifiers(
  settings: Named & Pick<PostgresOnDemandSettings, 'engine' | 'multi_az'>,
): readonly string[] {
  const name = databaseIdentifier(settings);
  if (settings.engine === 'rds') return [name];
  return settings.multi_az ? [`${name}-1`, `${name}-2`] : [`${name}-1`];
}

/** Name of the snapshot that is left when the database is deleted. */
export function finalSnapshotIdentifier(
  settings: Named & Pick<PostgresOnDemandSettings, 'final_snapshot_identifier'>,
): string {
  return settings.final_snapshot_identifier || `${databaseIdentifier(settings)}-final`;
}

/** Whether a text can be the name of a database in RDS. */
export function isDatabaseIdentifier(value: string): boolean {
  return IDENTIFIER.test(value);
}

const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** A span of time that comes again every day or every week. */
export interface Window {
  /** Minutes since Monday, or since midnight where it comes every day. */
  readonly start: number;
  /** Minutes. */
  readonly length: number;
}

/** Reads a window as AWS writes it, `hh:mm-hh:mm` or `ddd:hh:mm-ddd:hh:mm`; it may go past midnight or Sunday. */
export function minutesOfWindow(text: string): Window {
  const [start = 0, end = 0] = text.split('-').map(minuteOf);
  const period = /^[a-z]/.test(text) ? WEEK_MINUTES : DAY_MINUTES;
  return { start, length: (end - start + period) % period };
}

function minuteOf(text: string): number {
  const parts = text.split(':');
  const [hours = 0, minutes = 0] = parts.slice(-2).map(Number);
  return Math.max(0, DAYS.indexOf(parts[0] ?? '')) * DAY_MINUTES + hours * 60 + minutes;
}
