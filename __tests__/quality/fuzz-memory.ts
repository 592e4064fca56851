import { DescriptorError, ProblemList } from '../../quality/descriptor-error.ts';
import { compileDialect } from '../../quality/dialect.ts';
import { findDialect } from '../../quality/dialect-finder.ts';
import { compileExpectation } from '../../quality/expectation.ts';
import { LinearPattern } from '../../quality/pattern.ts';
import { PatternError } from '../../quality/pattern-parser.ts';
import { inspectBytes } from './inspect-bytes.ts';

/**
 * Gives scanner, loader of schemas, finder of dialects and compiler of patterns large inputs in no order, and prints the
 * most memory that was in use after one of them, in MiB: `fuzz-memory.ts ROUNDS`.
 */

const SYNTAX = [...'()[]{}|*+?^$.\\-,09az', '\\d', '\\p{L}', '{2,30}', '{9,}', '(?:', '(a|b)*'];
const STRUCTURE = [...'",\';\t|\n\ra1 #=', '"\n', '""', '\r\n', '\ufeff', '\x1a', '\0', 'sep=;\n'];
const VALUES = [null, true, 1e300, -1, '', 'integer', 'list', 'x'.repeat(3_000), '(a+)+'];
const NAMES = ['fields', 'name', 'type', 'constraints', 'enum', 'pattern', 'jsonSchema', 'format'];

let state = 20_261_129;
/** A whole number below a limit: Numerical Recipes' generator, of which the upper bits are the better ones. */
function below(limit: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

function textOf(parts: readonly string[], count: number): string {
  // Few parts for a while give long runs of the same.
  const some = Array.from({ length: 1 + below(4) }, () => parts[below(parts.length)] as string);
  return Array.from({ length: count }, () => some[below(some.length)]).join('');
}

function jsonOf(depth: number): unknown {
  const kind = depth === 0 ? 0 : below(3);
  if (kind === 0) return VALUES[below(VALUES.length)];
  const parts = Array.from({ length: below(7) }, () => jsonOf(depth - 1));
  if (kind === 1) return parts;
  return Object.fromEntries(parts.map((part) => [NAMES[below(NAMES.length)], part]));
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof DescriptorError || error instanceof PatternError)) throw error;
  }
}

const declared = compileDialect(undefined, '', new ProblemList());
const long = Buffer.from(textOf(['a', 'b', 'é', '0'], 50_000));

const WORK: readonly (() => void)[] = [
  () => void inspectBytes(Buffer.from(textOf(STRUCTURE, 400_000)), {}, [65_536]),
  () => void findDialect(Buffer.from(textOf(STRUCTURE, 60_000)), false, declared, ['a']),
  () =>
    void compileExpectation({ schema: { fields: Array.from({ length: 300 }, () => jsonOf(4)) } }),
  () => void new LinearPattern(textOf(SYNTAX, 1 + below(60))).matches(long, 0, long.length),
];

const inUse = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
};

let most = 0;
for (let round = 0; round < Number(process.argv[2]); round++) {
  for (const work of WORK) {
    attempt(work);
    most = Math.max(most, inUse());
  }
}
console.log(most);
