import { isObject } from '@file-processing/contract/json-object.ts';
import { type Schedule, scheduleAlone } from '../schedule/schedule.ts';
import { CARRIED, LOGICAL_TYPES, TEXT_FORMATS } from './contract-field.ts';
import type { RuleMonitoringFile, RuleSet } from './rule-set.ts';

/** The version of the standard in which contracts are written. */
const API_VERSION = 'v3.1.0';

/** A contract that was made of a rule set. */
export interface ExportedContract {
  readonly contract: object;
  /** Paths of what goes along as a custom property, which other programs don't understand. */
  readonly carried: readonly string[];
}

type Properties = Readonly<Record<string, unknown>>;

/** Constraints that the standard has by the same name, in `logicalTypeOptions`. */
const OPTIONS: readonly string[] = [
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
];

/** What the standard calls the lengths of other types than texts. */
const LENGTHS: Readonly<Record<string, readonly [minimum: string, maximum: string]>> = {
  array: ['minItems', 'maxItems'],
  object: ['minProperties', 'maxProperties'],
};

/**
 * Makes one contract of a rule set, in the form of the Open Data Contract Standard: an object for each mapping (of several
 * versions the last), a server of type `s3` for each monitored file. What the standard has no property for goes along as
 * the custom property `fileProcessing`, so that an import has the same rules again.
 */
export function exportContract(
  { mappings, monitoringFiles }: RuleSet,
  id: string,
): ExportedContract {
  const carried: string[] = [];
  const byName = new Map(
    mappings
      .map(({ value }) => value)
      .sort((one, other) => (one.version ?? 0) - (other.version ?? 0))
      .map((mapping) => [mapping.name, mapping]),
  );
  const files = monitoringFiles.map(({ value }) => value);
  const common = commonOf(files);
  const { client, contact, schedule } = common;
  const contract = {
    ...{ apiVersion: API_VERSION, kind: 'DataContract', id, name: id },
    ...{ version: '1.0.0', status: 'active' },
    ...(client === undefined ? {} : { tenant: client }),
    ...(files.length === 0
      ? {}
      : { servers: files.map((file, at) => serverOf(file, at, Object.keys(common), carried)) }),
    schema: [...byName.values()].map(({ name, tableSchema, dialect, thresholds, rules }) => {
      const own = {
        ...(Object.keys(dialect).length > 0 ? { dialect } : {}),
        ...(Object.keys(thresholds).length > 0 ? { thresholds } : {}),
        ...(rules === undefined ? {} : { rules }),
      };
      return objectOf(name, tableSchema as Properties, own, carried);
    }),
    ...(contact?.name ? { team: { name: contact.name } } : {}),
    ...(contact?.email
      ? { support: [{ channel: contact.email, tool: 'email', url: `mailto:${contact.email}` }] }
      : {}),
    ...(schedule ? { slaProperties: [slaOf(schedule, carried)] } : {}),
  };
  return { contract, carried };
}

/** The standard has cron, and a number of days or years; its units know neither weeks nor months. */
function slaOf(schedule: Schedule, carried: string[]): object {
  const property = 'frequency';
  const { cron, ...rest } = scheduleAlone(schedule) as unknown as Properties;
  const value =
    cron === undefined
      ? { property, value: 1, unit: { P1D: 'd', P1Y: 'y' }[String(rest.every)] ?? rest.every }
      : { property, value: null, scheduler: 'cron', schedule: cron };
  return { ...value, ...carry(rest, 'schedule', carried) };
}

type Common = Partial<Pick<RuleMonitoringFile, 'client' | 'contact' | 'schedule'>>;

/** What all monitored files say alike, and so the contract as a whole. */
function commonOf(files: readonly RuleMonitoringFile[]): Common {
  const [first, ...others] = files;
  const names = ['client', 'contact', 'schedule'] as const;
  const alike = names.filter((name) => {
    const text = JSON.stringify(first?.[name]);
    return others.every((file) => JSON.stringify(file[name]) === text);
  });
  return Object.fromEntries(first === undefined ? [] : alike.map((name) => [name, first[name]]));
}

/** What is not said of the whole contract goes along. */
function serverOf(
  file: RuleMonitoringFile,
  index: number,
  common: readonly string[],
  carried: string[],
): object {
  const { bucket, keyPattern, mappingName, mappingVersion: _version, schedule, ...others } = file;
  const rest = { ...others, schedule: schedule ? scheduleAlone(schedule) : null };
  const own = Object.entries(rest).filter(([name, value]) => {
    const isDefault = value === null || value === '' || (name === 'active' && value === true);
    return !isDefault && !common.includes(name);
  });
  // An import gives each server's files to each object: this one says to which.
  return {
    ...{ server: `${mappingName}-${index + 1}`, type: 's3', format: 'csv' },
    location: `s3://${bucket}/${encodeURI(keyPattern)}`,
    ...carry(
      { ...Object.fromEntries(own), mapping: mappingName },
      `monitored file ${mappingName}`,
      carried,
    ),
  };
}

function objectOf(name: string, schema: Properties, own: Properties, carried: string[]): object {
  const { fields, primaryKey, uniqueKeys, title, description, ...rest } = schema;
  const key: unknown[] = primaryKey === undefined ? [] : [primaryKey].flat();
  const leftover = Object.keys(rest).length > 0 ? { ...own, tableSchema: rest } : own;
  const keys = (uniqueKeys ?? []) as readonly unknown[];
  return {
    ...{ name, physicalType: 'file' },
    ...(title === undefined ? {} : { businessName: title }),
    ...(description === undefined ? {} : { description }),
    properties: (fields as readonly Properties[]).map((field) => {
      return propertyOf(field, key.indexOf(field.name), `${name}.${field.name}`, carried);
    }),
    ...(keys.length === 0
      ? {}
      : {
          quality: keys.map((properties) => ({
            ...{ type: 'library', metric: 'duplicateValues', mustBe: 0 },
            arguments: { properties },
          })),
        }),
    ...carry(leftover, name, carried),
  };
}

function propertyOf(field: Properties, position: number, path: string, carried: string[]): object {
  const { name, type = 'any', title, description, classification, constraints, ...rest } = field;
  const { required, unique, ...limits } = (isObject(constraints) ? constraints : {}) as Properties;
  const logicalType = Object.keys(LOGICAL_TYPES).find((one) => LOGICAL_TYPES[one] === type);
  const leftover: Record<string, unknown> = { ...rest };
  const options: Record<string, unknown> = {};
  if (logicalType === undefined && type !== 'any') leftover.type = type;
  const lengths = LENGTHS[logicalType ?? ''];
  const remaining: Record<string, unknown> = {};
  for (const [constraint, value] of Object.entries(limits)) {
    if (logicalType === undefined || !OPTIONS.includes(constraint)) remaining[constraint] = value;
    else if (lengths && constraint === 'minLength') options[lengths[0]] = value;
    else if (lengths && constraint === 'maxLength') options[lengths[1]] = value;
    else options[constraint] = value;
  }
  const { enum: values, ...others } = remaining;
  if (Object.keys(others).length > 0) leftover.constraints = others;
  if (logicalType === 'string' && TEXT_FORMATS.includes(String(leftover.format))) {
    options.format = leftover.format;
    delete leftover.format;
  }
  return {
    name,
    ...(title === undefined ? {} : { businessName: title }),
    ...(description === undefined ? {} : { description }),
    ...(logicalType === undefined ? {} : { logicalType }),
    ...(Object.keys(options).length > 0 ? { logicalTypeOptions: options } : {}),
    ...(required === true ? { required } : {}),
    ...(unique === true ? { unique } : {}),
    ...(position < 0 ? {} : { primaryKey: true, primaryKeyPosition: position + 1 }),
    ...(classification === undefined ? {} : { classification }),
    ...(values === undefined
      ? {}
      : {
          quality: [
            {
              ...{ type: 'library', metric: 'invalidValues', mustBe: 0 },
              arguments: { validValues: values },
            },
          ],
        }),
    ...carry(leftover, path, carried),
  };
}

function carry(value: Properties, path: string, carried: string[]): object {
  const names = Object.keys(value);
  if (names.length === 0) return {};
  carried.push(`${path}: ${names.join(', ')}`);
  return { customProperties: [{ property: CARRIED, value }] };
}
