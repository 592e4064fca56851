import {
  type CompiledRule,
  compileRules,
  type DeliveryRule,
  failingRule,
} from './delivery-rules.ts';
import { DescriptorError, type DescriptorProblem, ProblemList } from './descriptor-error.ts';
import { type CompiledDialect, compileDialect, type TableDialect } from './dialect.ts';
import { type CompiledSchema, compileSchema, type TableSchema } from './table-schema.ts';
import { compileThresholds, type Thresholds } from './thresholds.ts';

/** What a file is judged by. What is absent is not judged: with nothing given, structure alone is. */
export interface Expectation {
  /** Frictionless Table Schema, version 2. */
  schema?: TableSchema;
  /** Frictionless Table Dialect. @default comma, double quote, one header row */
  dialect?: TableDialect;
  thresholds?: Thresholds;
  /** What is demanded of a delivery as a whole, also against those before it. */
  rules?: DeliveryRule[];
}

const PARTS: readonly string[] = ['schema', 'dialect', 'thresholds', 'rules'];

/** An expectation that was checked and is ready to judge by. */
export interface CompiledExpectation {
  /** What it was made of. */
  readonly given: Expectation;
  readonly dialect: CompiledDialect;
  readonly schema: CompiledSchema | undefined;
  readonly thresholds: Thresholds;
  /** Those given, and the thresholds that are rules. */
  readonly rules: readonly CompiledRule[];
}

/**
 * Checks an expectation, which may be anything that JSON can hold, and prepares it.
 *
 * @throws {DescriptorError} with every problem in schema, dialect, thresholds and rules
 */
export function compileExpectation(expectation: unknown): CompiledExpectation {
  const { compiled, problems } = compileAll(expectation);
  if (problems.length > 0) throw new DescriptorError(problems);
  return compiled;
}

/** So many expectations are kept ready. */
const KEPT = 16;

/**
 * Compiles expectations, and keeps those that were used last: of many small files by the same rules, compiling them was a
 * tenth of the time and most of the memory. Expectations are told apart by their content.
 */
export class ExpectationCache {
  readonly #compiled = new Map<string, CompiledExpectation>();

  /** @throws {DescriptorError} as {@link compileExpectation} does */
  compile(expectation: Expectation): CompiledExpectation {
    const text = JSON.stringify(expectation);
    const compiled = this.#compiled.get(text) ?? compileExpectation(expectation);
    // A map keeps the order in which entries came: the first one is the one that was used longest ago.
    this.#compiled.delete(text);
    this.#compiled.set(text, compiled);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > KEPT && oldest !== undefined) this.#compiled.delete(oldest);
    return compiled;
  }
}

/** Every problem of an expectation; none when it can be used. */
export function expectationProblems(expectation: unknown): readonly DescriptorProblem[] {
  return compileAll(expectation).problems;
}

function compileAll(expectation: unknown): {
  compiled: CompiledExpectation;
  problems: readonly DescriptorProblem[];
} {
  const list = new ProblemList();
  const given = (expectation === undefined ? {} : list.object('expectation', expectation)) ?? {};
  for (const name of Object.keys(given)) {
    if (!PARTS.includes(name)) list.unknown('', name, PARTS);
  }
  const dialect = compileDialect(given.dialect, 'dialect', list);
  const schema =
    given.schema === undefined
      ? undefined
      : compileSchema(given.schema, 'schema', dialect.nullSequence, list);
  const thresholds = compileThresholds(given.thresholds, 'thresholds', list);
  const rules = [...rulesOf(thresholds), ...compileRules(given.rules, 'rules', schema, list)];
  const compiled = { given: given as Expectation, dialect, schema, thresholds, rules };
  return { compiled, problems: list.problems };
}

/** The thresholds that say what a rule says. */
function rulesOf({ minRows: min, maxRows: max, completeness = {} }: Thresholds): CompiledRule[] {
  const limits = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  return [
    ...(min === undefined && max === undefined ? [] : [failingRule('RowCount', limits)]),
    ...Object.entries(completeness).map(([label, minShare]) =>
      failingRule('Completeness', { minShare }, label),
    ),
  ];
}
