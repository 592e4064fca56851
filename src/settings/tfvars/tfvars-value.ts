/** A literal of a tfvars file, in either syntax. Maps are plain objects; `__proto__` is a key like any other. */
export type TfvarsValue =
  | string
  | number
  | boolean
  | null
  | readonly TfvarsValue[]
  | { readonly [key: string]: TfvarsValue };

/** One variable as a tfvars file sets it. */
export interface TfvarsAssignment {
  readonly name: string;
  readonly value: TfvarsValue;
  /** Where the name stands, 1-based. */
  readonly line: number;
}

/** A fault in a file's text. Its message never quotes what was written as a value: it may be a secret. */
export interface TfvarsFault {
  /** 1-based. */
  readonly line: number;
  /** The variable that was being set, where the fault lies inside an assignment. */
  readonly variable?: string;
  readonly message: string;
}

/** What a tfvars file says: every assignment that could be read, and every fault, both in file order. */
export interface TfvarsText {
  readonly assignments: readonly TfvarsAssignment[];
  readonly faults: readonly TfvarsFault[];
}

/** How deep lists, maps and parentheses may nest; Terraform has no limit, our call stack has one. */
export const MAX_NESTING = 32;

/** The fault of a value that nests deeper than {@link MAX_NESTING}. */
export const NESTED_TOO_DEEP = `values may nest at most ${MAX_NESTING} levels deep`;

/** The fault of a number that `exactNumber` refuses. */
export const INEXACT_NUMBER =
  'the number cannot be held exactly: whole numbers up to 9007199254740991 and decimals of up to ' +
  '15 digits can; write it as a string in double quotes if its digits matter';

/** The fault of a variable that a file sets a second time. */
export const setTwice = (firstLine: number): string =>
  `the variable is set twice, first on line ${firstLine}: keep one of the two`;
