import {
  arnFaults,
  type CrossFinding,
  checkFips,
  checkStateKey,
  checkTags,
  crossFindings,
  roleChecks,
} from './check-foundation-network.ts';
import { checkExistingNetwork } from './existing-network.ts';
import {
  databaseIdentifier,
  isDatabaseIdentifier,
  minutesOfWindow,
  type PostgresOnDemandSettings,
} from './postgres-on-demand-variables.ts';

type Name = keyof PostgresOnDemandSettings & string;
type Finding = CrossFinding<Name>;

/** Variables that mean nothing with the other engine. */
const OF_ENGINE: Readonly<Record<PostgresOnDemandSettings['engine'], readonly Name[]>> = {
  rds: ['instance_class', 'allocated_storage_gib', 'max_allocated_storage_gib'],
  aurora: ['min_capacity_acu', 'max_capacity_acu', 'seconds_until_auto_pause'],
};

/**
 * Faults between variables of `postgres_on_demand.tfvars`, but for those of `faulty` ones; `given` says which the
 * file names.
 */
export function checkPostgresOnDemand(
  settings: PostgresOnDemandSettings,
  given: ReadonlySet<string>,
  faulty: ReadonlySet<string> = new Set(),
): Finding[] {
  return crossFindings<PostgresOnDemandSettings, Name>(
    [
      checkIdentifier,
      (valid) => checkEngine(valid, given),
      checkStorage,
      checkCapacity,
      (valid) => checkPause(valid, given),
      checkWindows,
      checkAlarmTopic,
      checkExistingNetwork,
      checkFips,
      checkStateKey,
      checkTags,
      ...roleChecks(monitoringRoleName),
    ],
    settings,
    faulty,
  );
}

/** Name of the role by which RDS writes figures of the operating system. */
export function monitoringRoleName(settings: PostgresOnDemandSettings): string {
  return `${databaseIdentifier(settings)}-monitoring`;
}

function checkIdentifier(settings: PostgresOnDemandSettings): Finding[] {
  const name = databaseIdentifier(settings);
  if (isDatabaseIdentifier(name)) return [];
  return [
    {
      variable: 'identifier',
      message: `must be given: ${name}, which foundation_name_prefix makes, is not a name that RDS takes`,
    },
  ];
}

function checkEngine({ engine }: PostgresOnDemandSettings, given: ReadonlySet<string>): Finding[] {
  const other = engine === 'rds' ? 'aurora' : 'rds';
  return OF_ENGINE[other]
    .filter((variable) => given.has(variable))
    .map((variable) => ({
      variable,
      message: `is for engine = "${other}" and engine is "${engine}"; leave it out`,
    }));
}

/** Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling". */
function checkStorage({
  engine,
  allocated_storage_gib: size,
  max_allocated_storage_gib: most,
}: PostgresOnDemandSettings): Finding[] {
  const least = Math.ceil((size * 11) / 10);
  if (engine !== 'rds' || most === 0 || most >= least) return [];
  return [
    {
      variable: 'max_allocated_storage_gib',
      message: `${most} must be at least ${least}, a tenth more than allocated_storage_gib ${size}; or 0 for never`,
    },
  ];
}

function checkCapacity(settings: PostgresOnDemandSettings): Finding[] {
  const { min_capacity_acu: least, max_capacity_acu: most } = settings;
  if (least <= most) return [];
  return [
    {
      variable: 'min_capacity_acu',
      message: `${least} must not be more than max_capacity_acu ${most}`,
    },
  ];
}

function checkPause(
  { engine, min_capacity_acu }: PostgresOnDemandSettings,
  given: ReadonlySet<string>,
): Finding[] {
  const variable = 'seconds_until_auto_pause';
  if (engine !== 'aurora' || min_capacity_acu === 0 || !given.has(variable)) return [];
  const message = `is for min_capacity_acu = 0 and that is ${min_capacity_acu}; leave it out`;
  return [{ variable, message }];
}

function checkWindows({ backup_window, maintenance_window }: PostgresOnDemandSettings): Finding[] {
  const backup = minutesOfWindow(backup_window);
  const maintenance = minutesOfWindow(maintenance_window);
  const day = 1440;
  // How long after the one the other begins, on whatever day.
  const wait = (from: number, to: number) => (((to - from) % day) + day) % day;
  const overlap =
    wait(backup.start, maintenance.start) < backup.length ||
    wait(maintenance.start, backup.start) < maintenance.length;
  if (!overlap) return [];
  return [
    {
      variable: 'backup_window',
      message: `${backup_window} overlaps maintenance_window ${maintenance_window}`,
    },
  ];
}

function checkAlarmTopic({ alarm_topic_arn, aws_region }: PostgresOnDemandSettings): Finding[] {
  return arnFaults('aws_region', aws_region, [['alarm_topic_arn', alarm_topic_arn]]);
}
