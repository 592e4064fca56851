import { isObject } from '@file-processing/contract/json-object.ts';
import { isMailAddress } from '@file-processing/contract/notices.ts';
import type { DeliveryRule } from '@file-processing/quality/delivery-rules.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { TableField, TableSchema } from '@file-processing/quality/table-schema.ts';
import { stringify } from 'yaml';
import type { Contact } from '../database/monitoring-files.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { carriedBy, fieldOf } from './contract-field.ts';
import { addFieldQuality, addObjectQuality } from './contract-quality.ts';
import { ContractNode, type WithoutCounterpart, withoutCounterpart } from './contract-reader.ts';
import { contractFaults } from './contract-schema.ts';
import { parseRuleFile } from './rule-file.ts';
import {
  faultOf,
  type RuleFiles,
  type RuleMapping,
  RuleSetError,
  readRuleSet,
} from './rule-set.ts';

/** What a contract need not say. */
export interface ContractChoices {
  /** @default the contract's tenant */
  readonly client?: string;
  /** @default that of the contract's server of type `s3` */
  readonly bucket?: string;
  /** `{model}` stands for the object's name. @default that of the contract's server of type `s3` */
  readonly keyPattern?: string;
}

/** A rule set that was made of a contract. */
export interface ImportedContract {
  /** By their paths below the folder. */
  readonly files: RuleFiles;
  readonly withoutCounterpart: readonly WithoutCounterpart[];
  /** What a person must decide, each in a sentence. */
  readonly toDecide: readonly string[];
}

/**
 * Makes a rule set of a contract in the form of the Open Data Contract Standard, version 3: a mapping for each object of
 * its `schema`, and a monitored file for each of its servers of type `s3`.
 *
 * @param name of its file, for messages; decides whether it is read as YAML or as JSON
 * @throws {RuleSetError} for what is no such contract, with everything that is wrong with it
 */
export function importContract(
  name: string,
  text: string,
  choices: ContractChoices = {},
): ImportedContract {
  const parsed = parseRuleFile(name, text);
  if (!('value' in parsed)) {
    throw new RuleSetError(
      name,
      parsed.map((fault) => ({ file: name, path: '', ...fault })),
      'the data contract',
    );
  }
  const contract = new ContractNode(parsed.value);
  const { faults } = contract.ledger;
  const place = { file: name, placeOf: parsed.placeOf };
  checkKind(contract);
  const told = new Set(faults.map(({ path }) => path));
  faults.push(...contractFaults(parsed.value).filter(({ path }) => !told.has(path)));
  if (faults.length > 0) throw refusal(place, faults);
  const toDecide: string[] = [];
  const definitions = new Map<string, object>();
  const objects = contract.get('schema').items();
  if (objects.length === 0) {
    toDecide.push(
      'What the files look like: the contract has no schema, and so there is no rule in it.',
    );
  }
  const { used } = contract.ledger;
  const before = new Set(used);
  const common = commonOf(contract, choices, toDecide);
  const ofFiles = [...used].filter((path) => !before.has(path));
  const ofWhole = toDecide.length;
  for (const object of objects) {
    if (!object.get('properties').given) {
      toDecide.push(`What is in ${textOf(object.get('name'))}: the contract names no properties.`);
      continue;
    }
    const mapping = mappingOf(object);
    if (mapping === undefined) continue;
    const path = `mappings/${mapping.name}.yaml`;
    if (definitions.has(path)) {
      const message = `makes the same mapping, ${mapping.name}, as an object before it; names must differ in letters or digits`;
      faults.push({ path: `${object.path}.name`, message });
    }
    definitions.set(path, mapping);
    const files = monitoredFiles(contract, object, mapping.name, { ...choices, ...common });
    if (files.length === 0) toDecide.push(noPlace(mapping.name, objects.length));
    files.forEach((file, index) => {
      const suffix = files.length === 1 ? '' : `_${index + 1}`;
      definitions.set(`monitoring_files/${mapping.name}${suffix}.yaml`, file);
    });
  }
  const monitored = [...definitions].flatMap(([path, definition]) =>
    path.startsWith('monitoring_files/') ? [definition] : [],
  );
  toDecide.splice(ofWhole, 0, ...openOfFiles(monitored, common));
  // Contact and schedule are said of monitored files: without any they went nowhere.
  if (monitored.length === 0) for (const path of ofFiles) used.delete(path);
  if (faults.length > 0) {
    throw refusal(place, faults);
  }
  const heading = `# From the data contract ${textOf(contract.get('id'))}, version ${textOf(contract.get('version'))}.\n`;
  const files = new Map(
    [...definitions].map(([path, value]) => [path, `${heading}${stringify(value)}`]),
  );
  // A contract of roles, prices or servers alone is a whole one.
  if (files.size > 0) readRuleSet(name, files, expectationProblems);
  return { files, withoutCounterpart: withoutCounterpart(contract), toDecide };
}

function refusal(
  place: Parameters<typeof faultOf>[0],
  faults: readonly { readonly path: string; readonly message: string }[],
): RuleSetError {
  return new RuleSetError(
    place.file,
    faults.map(({ path, message }) => faultOf(place, path, message)),
    'the data contract',
  );
}

/** In one line, as a comment may have it. */
function textOf(node: ContractNode): string {
  node.use();
  return String(node.value ?? 'without one').replace(/\s+/g, ' ');
}

function checkKind(contract: ContractNode): void {
  const { faults } = contract.ledger;
  const expected = (path: string, fits: RegExp, allowed: string) => {
    const node = contract.get(path);
    if (fits.test(String(node.value ?? ''))) node.use();
    else faults.push({ path, message: `is ${JSON.stringify(node.value)}; allowed: ${allowed}` });
  };
  expected('kind', /^DataContract$/, 'DataContract');
  expected('apiVersion', /^v3\.\d+\.\d+$/, 'v3.0.0 to v3.2.0');
}

interface Common {
  readonly client: string;
  readonly contact: Contact | undefined;
  readonly schedule: Schedule | undefined;
}

/** What the whole contract says. */
function commonOf(contract: ContractNode, { client }: ContractChoices, toDecide: string[]): Common {
  const tenant = contract.get('tenant').text();
  const name = contract.get('name').text();
  const id = contract.get('id').text();
  if (client === undefined && tenant === undefined) {
    toDecide.push('Which client delivers: the contract has no tenant; its name was taken.');
  }
  const contact = contactOf(contract);
  const schedule = scheduleOf(contract);
  return { client: client ?? tenant ?? name ?? id ?? 'client', contact, schedule };
}

/** What neither the whole contract says, nor an exported one of each of its servers. */
function openOfFiles(monitored: readonly object[], { contact, schedule }: Common): string[] {
  const isOpen = (given: unknown, name: string) =>
    given === undefined && (monitored.length === 0 || monitored.some((file) => !(name in file)));
  return [
    ...(isOpen(contact, 'contact')
      ? ['Who is told of a bad delivery: the contract names no address for support.']
      : []),
    ...(isOpen(schedule, 'schedule')
      ? ['When deliveries are due: no slaProperties give a time of day.']
      : []),
  ];
}

function contactOf(contract: ContractNode): Contact | undefined {
  let email: string | undefined;
  for (const item of contract.get('support').items()) {
    for (const node of [item.get('url'), item.get('channel')]) {
      const address = String(node.value ?? '').replace(/^mailto:/, '');
      if (email !== undefined || !isMailAddress(address)) continue;
      email = address;
      node.use();
      item.get('channel').use();
      item.get('tool').use();
    }
  }
  const team = contract.get('team');
  // Until version 3.1 it was the list of its members.
  const members = Array.isArray(team.value) ? team.items() : team.get('members').items();
  const owner = members.find((member) => /owner|steward/i.test(String(member.get('role').value)));
  const name =
    team.get('name').text() ?? owner?.get('name').text() ?? owner?.get('username').text();
  if (name === undefined && email === undefined) return undefined;
  return { ...(name ? { name } : {}), ...(email ? { email } : {}) };
}

/**
 * A cron expression as it is written, or periods that an exported contract carries, else a time of availability with a
 * frequency of one day.
 */
function scheduleOf(contract: ContractNode): Schedule | undefined {
  const entries = contract.get('slaProperties').items();
  const named = (name: string) => entries.filter((entry) => entry.get('property').value === name);
  for (const entry of entries) {
    const cron = entry.get('schedule');
    const isCron = entry.get('scheduler').value === 'cron' && typeof cron.value === 'string';
    const own = carriedBy(entry);
    const isPeriod = isObject(own) && typeof own.every === 'string';
    if (!isCron && !isPeriod) continue;
    for (const name of ['property', 'value', 'unit', 'scheduler', 'schedule']) {
      entry.get(name).use();
    }
    const rest = isObject(own) ? own : {};
    return (isPeriod ? rest : { cron: cron.value, ...rest }) as unknown as Schedule;
  }
  const [frequency] = named('frequency');
  const [time] = named('timeOfAvailability');
  const daily =
    String(frequency?.get('value').value) === '1' &&
    /^(d|day|days)$/.test(String(frequency?.get('unit').value));
  const cron = daily ? dailyCron(String(time?.get('value').value)) : undefined;
  if (cron === undefined) return undefined;
  for (const entry of [frequency, time]) {
    for (const name of ['property', 'value', 'unit']) entry?.get(name).use();
  }
  return { cron };
}

/** In UTC. */
function dailyCron(text: string): string | undefined {
  const found = /^(\d\d):(\d\d)(?::00)?(?:Z|([+-])(\d\d):?(\d\d))?$/.exec(text);
  if (found === null) return undefined;
  const [, hours, minutes, sign, offsetHours = '0', offsetMinutes = '0'] = found;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const day = 24 * 60;
  const inUtc = (Number(hours) * 60 + Number(minutes) - offset + 2 * day) % day;
  return `${inUtc % 60} ${Math.floor(inUtc / 60)} * * *`;
}

function mappingOf(object: ContractNode): (Partial<RuleMapping> & { name: string }) | undefined {
  const label = object.get('name').text();
  if (label === undefined) {
    const path = `${object.path}.name`;
    object.ledger.faults.push({ path, message: 'is missing; allowed: a text' });
    return undefined;
  }
  object.get('logicalType').use();
  const properties = object.get('properties').items();
  if (properties.length === 0) {
    const message = 'has no properties; a list of at least one is needed';
    object.ledger.faults.push({ path: `${object.path}.properties`, message });
  }
  const rules: DeliveryRule[] = [];
  const schema: TableSchema = { fields: [] };
  const title = object.get('businessName').text();
  const description = object.get('description').text();
  Object.assign(schema, title ? { title } : {}, description ? { description } : {});
  for (const property of properties) {
    const field = fieldOf(property);
    if (field === undefined) continue;
    addFieldQuality(property, field, { schema, rules });
    schema.fields.push(field);
  }
  const key = primaryKeyOf(properties);
  if (key.length > 0) schema.primaryKey = key;
  addObjectQuality(object, { schema, rules });
  const own = carriedBy(object);
  const { tableSchema = {}, rules: ownRules, ...rest } = isObject(own) ? own : {};
  const all = [...rules, ...(Array.isArray(ownRules) ? ownRules : [])];
  return {
    name: identifier(label),
    tableSchema: { ...schema, ...(isObject(tableSchema) ? tableSchema : {}) },
    ...rest,
    ...(all.length > 0 ? { rules: all } : {}),
  };
}

function primaryKeyOf(properties: readonly ContractNode[]): TableField['name'][] {
  const parts = properties.filter((property) => property.get('primaryKey').flag());
  const position = (property: ContractNode) => property.get('primaryKeyPosition').number() ?? 0;
  for (const property of properties) {
    const node = property.get('primaryKeyPosition');
    // -1 is what the standard has for none.
    if (node.value === -1 || parts.includes(property)) node.use();
  }
  return parts
    .sort((one, other) => position(one) - position(other))
    .map((property) => String(property.get('name').value));
}

/** As a mapping may be named. */
export function identifier(label: string): string {
  const plain = label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return (/^[a-z]/.test(plain) ? plain : `m_${plain}`).slice(0, 63);
}

function monitoredFiles(
  contract: ContractNode,
  object: ContractNode,
  mapping: string,
  { client, contact, schedule, bucket, keyPattern }: Common & ContractChoices,
): object[] {
  const particulars = { ...(contact ? { contact } : {}), ...(schedule ? { schedule } : {}) };
  const several = contract.get('schema').items().length > 1;
  const name = String(object.get('physicalName').value ?? object.get('name').value);
  const files: object[] = [];
  const add = (
    place: { bucket: string; keyPattern: string },
    own: Readonly<Record<string, unknown>> = {},
  ) => {
    // An exported contract says of each server to which object it belongs.
    if (several && own.mapping === undefined && !place.keyPattern.includes('{model}')) return;
    if (name === object.get('physicalName').value && place.keyPattern.includes('{model}')) {
      object.get('physicalName').use();
    }
    const pattern = place.keyPattern.replaceAll('{model}', name);
    files.push({ client, ...place, keyPattern: pattern, mapping, ...particulars, ...own });
  };
  if (bucket !== undefined && keyPattern !== undefined) {
    add({ bucket, keyPattern });
    return files;
  }
  for (const server of contract.get('servers').items()) {
    const format = server.get('format');
    if (server.get('type').value !== 's3') continue;
    if (format.given && format.value !== 'csv') continue;
    const location = String(server.get('location').value ?? '');
    const found = /^s3:\/\/([^/]+)\/(.*)$/.exec(location);
    if (found === null) continue;
    const [, inBucket = '', encoded = ''] = found;
    const path = decoded(encoded);
    const pattern = path === '' || path.endsWith('/') ? `${path}*.csv` : path;
    const carried = carriedBy(server);
    const own = isObject(carried) ? carried : {};
    if (own.mapping !== undefined && own.mapping !== mapping) continue;
    add({ bucket: bucket ?? inBucket, keyPattern: keyPattern ?? pattern }, own);
    for (const part of ['type', 'format', 'location']) server.get(part).use();
  }
  return files;
}

/** Of a URI; text that is none stays as it is. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function noPlace(mapping: string, objects: number): string {
  const several =
    objects > 1 ? ' With several objects the pattern must have {model} for the name.' : '';
  return `Where files of ${mapping} arrive: no server of type s3 says it. Give --bucket and --key-pattern, or write a monitored file.${several}`;
}
