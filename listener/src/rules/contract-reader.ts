import { isObject } from '@file-processing/contract/json-object.ts';

/** What was wanted of a contract, and what was wrong with it. */
export interface Ledger {
  /** Paths whose meaning has gone into a rule set. */
  readonly used: Set<string>;
  /** What can't be read, by path. */
  readonly faults: { path: string; message: string }[];
  /** What has a counterpart in general, but not as it is written here; by path. */
  readonly refused: Map<string, string>;
}

/** A value of a contract, which remembers what was read of it: the rest is what has no counterpart. */
export class ContractNode {
  readonly value: unknown;
  readonly path: string;
  readonly ledger: Ledger;

  constructor(value: unknown, path = '', ledger?: Ledger) {
    this.value = value;
    this.path = path;
    this.ledger = ledger ?? { used: new Set(), faults: [], refused: new Map() };
  }

  /** Whether something is given. */
  get given(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** A property; of what is not an object, one that is not given. */
  get(name: string): ContractNode {
    const value = isObject(this.value) ? this.value[name] : undefined;
    return new ContractNode(value, this.path === '' ? name : `${this.path}.${name}`, this.ledger);
  }

  /** The items of a list; none where it is not given. */
  items(): readonly ContractNode[] {
    if (!this.given) return [];
    if (!Array.isArray(this.value)) return this.fault('a list', []);
    return this.value.map((item, at) => new ContractNode(item, `${this.path}[${at}]`, this.ledger));
  }

  /** A text, which counts as used. */
  text(): string | undefined {
    if (!this.given) return undefined;
    if (typeof this.value !== 'string') return this.fault('a text', undefined);
    this.use();
    return this.value;
  }

  /** A flag, which counts as used. */
  flag(): boolean {
    if (!this.given) return false;
    if (typeof this.value !== 'boolean') return this.fault('true or false', false);
    this.use();
    return this.value;
  }

  /** A number; it does not count as used. */
  number(): number | undefined {
    return typeof this.value === 'number' ? this.value : undefined;
  }

  /** Its meaning has gone into the rule set, with all that is in it. */
  use(): void {
    this.ledger.used.add(this.path);
  }

  /** Its meaning could not be kept. */
  refuse(reason: string): void {
    this.ledger.refused.set(this.path, reason);
  }

  private fault<T>(allowed: string, instead: T): T {
    const message = `is ${JSON.stringify(this.value)}; allowed: ${allowed}`;
    this.ledger.faults.push({ path: this.path, message });
    return instead;
  }
}

/** Something of a contract that a rule set can't say. */
export interface WithoutCounterpart {
  /** As in `schema[].properties[].physicalType`. */
  readonly path: string;
  readonly places: number;
  /** The path of the first, with its indexes. */
  readonly first: string;
  /** Why, where it could have had one. */
  readonly reason?: string;
}

/** All that was not used of a contract; what is alike in many places is said once. */
export function withoutCounterpart(contract: ContractNode): readonly WithoutCounterpart[] {
  const { used, refused } = contract.ledger;
  const touched = new Set<string>();
  for (const path of [...used, ...refused.keys()]) {
    for (const { index } of path.matchAll(/[.[]/g)) touched.add(path.slice(0, index));
  }
  const found = new Map<
    string,
    { -readonly [K in keyof WithoutCounterpart]: WithoutCounterpart[K] }
  >();
  const visit = (value: unknown, path: string): void => {
    if (value === undefined || value === null || used.has(path)) return;
    if ((path === '' || touched.has(path)) && !refused.has(path)) {
      if (Array.isArray(value)) {
        for (const [at, item] of value.entries()) visit(item, `${path}[${at}]`);
      } else if (isObject(value)) {
        for (const [name, item] of Object.entries(value)) {
          visit(item, path === '' ? name : `${path}.${name}`);
        }
      }
      return;
    }
    const alike = path.replace(/\[\d+\]/g, '[]');
    const reason = refused.get(path);
    const key = `${alike}\0${reason ?? ''}`;
    const known = found.get(key);
    if (known === undefined) {
      found.set(key, { path: alike, places: 1, first: path, ...(reason ? { reason } : {}) });
    } else known.places += 1;
  };
  visit(contract.value, '');
  return [...found.values()];
}
