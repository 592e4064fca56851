import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import {
  faultText,
  LISTENER_VARIABLES,
  type ListenerVariable,
  readVariable,
  type ValueOf,
  type VariableFault,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';

/** Every fault of the environment in one error, so that one restart fixes them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Stable, for callers that map errors to exit codes. */
  readonly code = 'CONFIG_INVALID';
  readonly faults: readonly VariableFault[];

  constructor(faults: readonly VariableFault[]) {
    const heading = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    super(
      `${heading} in the environment:\n${faults.map((fault) => `- ${faultText(fault)}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** Environment variables, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads variables one at a time and keeps the faults together. */
export interface VariableReader {
  /** The value, its default, or undefined: not set, or a fault that is now recorded. */
  optional<N extends VariableName>(name: N): ValueOf<N> | undefined;
  /** As `optional`, but nothing set and no default is a fault too. */
  required<N extends VariableName>(name: N): ValueOf<N> | undefined;
  /** Whether the variable, or its `_FILE`, holds anything. */
  isSet(name: VariableName): boolean;
  /** Records a fault that only several variables together show. */
  fault(fault: VariableFault): void;
  readonly faults: readonly VariableFault[];
}

/**
 * A reader over one environment. An empty variable counts as not set, since ConfigMaps and Compose
 * files hold empty strings for "nothing"; blanks around a value that is not a secret are dropped.
 */
export function variableReader(environment: Environment): VariableReader {
  const faults: VariableFault[] = [];
  const table: Record<VariableName, ListenerVariable<unknown>> = LISTENER_VARIABLES;
  const set = (name: string) => (environment[name] ?? '').trim();
  // A password may begin or end with a blank; whatever wrote it into a file ended the line.
  const exact = (name: string) => environment[name] ?? '';

  function textOf(name: VariableName): string | undefined {
    const variable = table[name];
    const direct = set(name);
    const fileName = `${name}_FILE`;
    const file = variable.file ? set(fileName) : '';
    if (direct !== '' && file !== '') {
      faults.push({
        variable: fileName,
        value: file,
        problem: `${name} is set as well`,
        allowed: `${name} or ${fileName}, not both`,
      });
      return undefined;
    }
    if (file !== '') return textOfFile(fileName, file, variable.secret === true);
    if (direct === '') return variable.default;
    return variable.secret ? exact(name) : direct;
  }

  function textOfFile(variable: string, path: string, secret: boolean): string | undefined {
    const allowed = 'a file that this process may read and that is not empty';
    try {
      const content = readFileSync(path, 'utf8');
      const text = secret ? content.replace(/\r?\n$/, '') : content.trim();
      if (text !== '') return text;
      faults.push({ variable, value: path, problem: 'the file is empty', allowed });
    } catch (error) {
      faults.push({ variable, value: path, problem: fileFault(error), allowed });
    }
    return undefined;
  }

  function optional<N extends VariableName>(name: N): ValueOf<N> | undefined {
    const text = textOf(name);
    if (text === undefined) return undefined;
    const read = readVariable(name, text);
    if ('value' in read) return read.value;
    faults.push(read.fault);
    return undefined;
  }

  return {
    faults,
    optional,
    fault: (fault) => faults.push(fault),
    isSet: (name) => set(name) !== '' || (table[name].file === true && set(`${name}_FILE`) !== ''),
    required(name) {
      const before = faults.length;
      const value = optional(name);
      if (value === undefined && faults.length === before) {
        faults.push({
          variable: name,
          problem: 'is required and not set',
          allowed: table[name].kind.allowed,
        });
      }
      return value;
    },
  };
}

/** Why a file could not be read, in words that follow a colon. */
export function fileFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES') return 'this process may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return `the file can't be read (${String(code ?? error)})`;
}

/**
 * Loads the `.env` of a folder into the environment, when there is one. What is set already stays
 * (Node.js documents this of `process.loadEnvFile`).
 *
 * @returns whether there was a file
 */
export function loadDotEnv(folder: string): boolean {
  const path = join(folder, '.env');
  if (!existsSync(path)) return false;
  loadEnvFile(path);
  return true;
}
