import { isObject } from '@file-processing/contract/json-object.ts';
import type { DeliveryRule, Limits } from '@file-processing/quality/delivery-rules.ts';
import type { TableField, TableSchema } from '@file-processing/quality/table-schema.ts';
import { constrain } from './contract-field.ts';
import type { ContractNode } from './contract-reader.ts';

/** What quality rules of a contract add to a mapping. */
export interface QualityTarget {
  readonly schema: TableSchema;
  readonly rules: DeliveryRule[];
}

/** Severities of a contract that do not fail a file. */
const WARNINGS: readonly string[] = ['info', 'warning', 'warn'];

/** Least and greatest value that an operator allows, of whole numbers. */
type Range = readonly [least: number | undefined, most: number | undefined];

const OPERATORS: Readonly<Record<string, (value: number) => Range>> = {
  mustBe: (value) => [value, value],
  mustBeGreaterThan: (value) => [Math.floor(value) + 1, undefined],
  mustBeGreaterOrEqualTo: (value) => [Math.ceil(value), undefined],
  mustBeLessThan: (value) => [undefined, Math.ceil(value) - 1],
  mustBeLessOrEqualTo: (value) => [undefined, Math.floor(value)],
};

/** Quality rules of a whole object of a contract. */
export function addObjectQuality(object: ContractNode, { schema, rules }: QualityTarget): void {
  for (const check of object.get('quality').items()) {
    const metric = metricOf(check);
    if (metric?.value === 'rowCount') {
      const range = rangeOf(check);
      if (range === undefined) continue;
      const [min, max] = range;
      const limits = {
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      };
      rules.push({ rule: 'RowCount', ...bySeverity(check, limits) });
      take(check, metric);
    } else if (metric?.value === 'duplicateValues') {
      const columns = check.get('arguments').get('properties');
      const names = schema.fields.map(({ name }) => name);
      const key: unknown[] = Array.isArray(columns.value) ? columns.value : [];
      const known = key.length > 0 && key.every((name) => names.includes(String(name)));
      if (!known || !isNone(check) || warns(check)) {
        check.refuse('only a key that fails with its first duplicate has a counterpart');
        continue;
      }
      schema.uniqueKeys = [...(schema.uniqueKeys ?? []), key.map(String)];
      columns.use();
      take(check, metric);
    }
  }
}

/** Quality rules of one property. */
export function addFieldQuality(
  property: ContractNode,
  field: TableField,
  { rules }: QualityTarget,
): void {
  for (const check of property.get('quality').items()) {
    const metric = metricOf(check);
    const { value } = metric ?? {};
    if (metric === undefined) continue;
    if (value === 'nullValues' || value === 'missingValues') {
      const missing = check.get('arguments').get('missingValues');
      if (missing.given) addMissingValues(field, missing);
      if (isNone(check) && !warns(check)) {
        if (constrain(field, metric, { required: true })) take(check, metric);
        continue;
      }
      const limits = fewRows(check);
      if (limits === undefined) continue;
      rules.push({ rule: 'Completeness', column: field.name, ...bySeverity(check, limits) });
      take(check, metric);
    } else if (value === 'invalidValues') addValidity(check, metric, field, rules);
    else if (value === 'duplicateValues') {
      if (!isNone(check) || warns(check)) {
        check.refuse('only a key that fails with its first duplicate has a counterpart');
      } else if (constrain(field, metric, { unique: true })) take(check, metric);
    }
  }
}

/** What is valid, each with the constraint that says it. */
const VALIDITY = [
  ['validValues', 'enum'],
  ['pattern', 'pattern'],
  ['minLength', 'minLength'],
  ['maxLength', 'maxLength'],
] as const;

function addValidity(
  check: ContractNode,
  metric: ContractNode,
  field: TableField,
  rules: DeliveryRule[],
): void {
  const given = VALIDITY.map(([name, constraint]) => ({
    node: check.get('arguments').get(name),
    constraint,
  })).filter(({ node }) => node.given);
  const strict = isNone(check) && !warns(check);
  const limits = strict ? undefined : fewRows(check);
  if (given.length === 0 || (!strict && limits === undefined)) return;
  // Tried on a copy: what is tolerated to some degree is not a constraint of the field.
  const tried: TableField = strict
    ? field
    : {
        name: field.name,
        type: field.type ?? 'any',
        ...(field.format ? { format: field.format } : {}),
      };
  // Nulls are left out of what is judged.
  const added = given.filter(({ node, constraint }) => {
    const value = Array.isArray(node.value) ? node.value.filter((one) => one !== null) : node.value;
    return constrain(tried, node, { [constraint]: value });
  });
  if (added.length === 0) return;
  if (limits !== undefined && tried.constraints !== undefined) {
    const { constraints } = tried;
    rules.push({
      ...{ rule: 'ColumnValues', column: field.name, constraints },
      ...bySeverity(check, limits),
    });
  }
  take(check, metric);
}

function addMissingValues(field: TableField, node: ContractNode): void {
  const texts = Array.isArray(node.value) ? node.value : [];
  const known = (field.missingValues ?? ['']).map((one) => (isObject(one) ? one.value : one));
  const all = [...known, ...texts.filter((one) => typeof one === 'string')];
  field.missingValues = [...new Set(all)];
  node.use();
}

/** Of a library rule; its older name is `rule`. */
function metricOf(check: ContractNode): ContractNode | undefined {
  const type = check.get('type');
  if (type.given && type.value !== 'library') return undefined;
  return [check.get('metric'), check.get('rule')].find(({ given }) => given);
}

function operatorOf(check: ContractNode): ContractNode | undefined {
  const found = [...Object.keys(OPERATORS), 'mustBeBetween']
    .map((name) => check.get(name))
    .filter(({ given }) => given);
  return found.length === 1 ? found[0] : undefined;
}

function rangeOf(check: ContractNode): Range | undefined {
  const operator = operatorOf(check);
  if (operator === undefined) return undefined;
  const [from, to]: unknown[] = Array.isArray(operator.value) ? operator.value : [];
  if (typeof from === 'number' && typeof to === 'number') return [Math.ceil(from), Math.floor(to)];
  const value = operator.number();
  const name = operator.path.slice(operator.path.lastIndexOf('.') + 1);
  return value === undefined ? undefined : OPERATORS[name]?.(value);
}

/** Whether not one row may be wrong. */
function isNone(check: ContractNode): boolean {
  const operator = operatorOf(check);
  const value = operator?.number();
  return value === 0 && /mustBe(LessOrEqualTo)?$/.test(operator?.path ?? '');
}

/** How many rows may be wrong; a share that must be less than a limit can't be said. */
function fewRows(check: ContractNode): Limits | undefined {
  const operator = operatorOf(check);
  if (operator === undefined) return undefined;
  const value = operator.number();
  const unit = check.get('unit').value ?? 'rows';
  const isShare = unit === 'percent';
  if (isShare && value !== undefined && /LessOrEqualTo$/.test(operator.path)) {
    // Not as 1 - value / 100, which has rounding errors.
    return { minShare: (100 - value) / 100 };
  }
  const [least, most] = rangeOf(check) ?? [];
  if (!isShare && unit === 'rows' && least === undefined && most !== undefined && most >= 0) {
    return { maxRows: most };
  }
  if (isNone(check)) return { maxRows: 0 };
  check.refuse(
    'only an upper limit of rows, or of percent that is allowed itself, has a counterpart',
  );
  return undefined;
}

function warns(check: ContractNode): boolean {
  return WARNINGS.includes(String(check.get('severity').value ?? 'error').toLowerCase());
}

function bySeverity(check: ContractNode, limits: Limits): { warn: Limits } | { fail: Limits } {
  return warns(check) ? { warn: limits } : { fail: limits };
}

/** What has gone into a rule; who planned it and why is left. */
function take(check: ContractNode, metric: ContractNode): void {
  metric.use();
  operatorOf(check)?.use();
  for (const name of ['type', 'unit', 'severity']) check.get(name).use();
}
