import { nextAssignment } from './hcl-recovery.ts';
import {
  HclProblem,
  heredocAt,
  heredocText,
  IDENTIFIER,
  LITERALS_ONLY,
  quotedText,
} from './hcl-strings.ts';
import {
  exactNumber,
  INEXACT_NUMBER,
  lineIndex,
  MAX_NESTING,
  NESTED_TOO_DEEP,
  setTwice,
  type TfvarsAssignment,
  type TfvarsFault,
  type TfvarsText,
  type TfvarsValue,
} from './tfvars-value.ts';

const NAME = new RegExp(IDENTIFIER, 'uy');
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTED = /"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"/y;
const NEWLINE = /\r?\n/y;
const ASSIGN = /=(?![=>])/y;
const KEY_SEPARATOR = /:|=(?![=>])/y;
const ENTRY_SEPARATOR = /,|\r?\n/y;
/** Also a line comment's text, but not the newline that ends it. */
const BLANK = /[ \t]+|\/\*[\s\S]*?\*\/|(?:#|\/\/)[^\n]*/y;
const BLANK_OR_NEWLINE = /[ \t]+|\r?\n|\/\*[\s\S]*?\*\/|(?:#|\/\/)[^\n]*/y;

const KEYWORDS: ReadonlyMap<string, TfvarsValue> = new Map<string, TfvarsValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * Reads a `.tfvars` file in HCL's native syntax, as far as its values are literals: what Terraform
 * 1.11 accepts, without expressions. After a fault it reads on at the next assignment, so that all
 * faults come at once; a heredoc or comment that is never closed hides the rest of the file.
 *
 * Source: "HCL Native Syntax Specification"; tested against @cdktf/hcl2json, which parses by HCL
 * itself but is too slow to load at synth and has no line numbers.
 *
 * @returns never throws; `faults` is empty for a valid file
 */
export function readHclLiterals(text: string): TfvarsText {
  return new HclReader(text).read();
}

class HclReader {
  readonly #text: string;
  readonly #lineOf: (offset: number) => number;
  readonly #assignments: TfvarsAssignment[] = [];
  readonly #faults: TfvarsFault[] = [];
  readonly #firstLines = new Map<string, number>();
  /** Offsets of the brackets that are open at `#position`. */
  #open: number[] = [];
  #position: number;
  /** The variable that is being set. */
  #variable: string | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#lineOf = lineIndex(text);
    this.#position = text.startsWith('\ufeff') ? 1 : 0;
  }

  read(): TfvarsText {
    while (this.#position < this.#text.length) {
      this.#variable = undefined;
      try {
        this.#skip(BLANK_OR_NEWLINE);
        if (this.#position < this.#text.length) this.#assignment();
      } catch (error) {
        if (!(error instanceof HclProblem)) throw error;
        this.#report(error);
        this.#position = nextAssignment(this.#text, this.#position, this.#open.length);
        this.#open = [];
      }
    }
    return { assignments: this.#assignments, faults: this.#faults };
  }

  #report({ message, offset }: HclProblem): void {
    const line = this.#lineOf(offset);
    const variable = this.#variable;
    this.#faults.push(variable === undefined ? { line, message } : { line, variable, message });
  }

  #assignment(): void {
    const start = this.#position;
    const name = this.#take(NAME);
    if (name === undefined) this.#fail('expected an assignment: name = value');
    this.#skip(BLANK);
    if (this.#take(ASSIGN) === undefined) {
      this.#fail('expected "=" after a variable\'s name; a tfvars file has no blocks');
    }
    this.#variable = name;
    const line = this.#lineOf(start);
    const firstLine = this.#firstLines.get(name);
    this.#firstLines.set(name, firstLine ?? line);

    this.#skip(BLANK);
    const value = this.#value(BLANK);
    this.#skip(BLANK);
    if (this.#position < this.#text.length && this.#take(NEWLINE) === undefined) {
      this.#fail(`expected a new line after the value: ${LITERALS_ONLY}`);
    }
    if (firstLine === undefined) this.#assignments.push({ name, value, line });
    else this.#report(new HclProblem(setTwice(firstLine), start));
  }

  /** @param blank - what may stand between a minus and its number: newlines only in brackets */
  #value(blank: RegExp): TfvarsValue {
    switch (this.#text[this.#position]) {
      case '"':
        return this.#quoted();
      case '[':
        return this.#bracketed(() => this.#list());
      case '{':
        return this.#bracketed(() => this.#map());
      case '(':
        return this.#bracketed(() => this.#parenthesised());
      case '<':
        return this.#heredoc();
      case '-':
        return this.#negative(blank);
      case "'":
        return this.#fail('strings stand in double quotes, not in single ones');
    }
    const start = this.#position;
    const number = this.#take(NUMBER);
    if (number !== undefined) return exactNumber(number) ?? this.#fail(INEXACT_NUMBER, start);

    const word = this.#take(NAME);
    if (word === undefined) return this.#fail(`expected a value: ${LITERALS_ONLY}`);
    const keyword = KEYWORDS.get(word);
    if (keyword !== undefined) return keyword;
    return this.#fail(
      this.#text[this.#position] === '('
        ? `${LITERALS_ONLY}; functions cannot be called`
        : `${LITERALS_ONLY}; a bare word is a reference, put text in double quotes`,
      start,
    );
  }

  #quoted(): string {
    const start = this.#position;
    const quoted = this.#take(QUOTED);
    if (quoted === undefined) {
      return this.#fail(
        'the string is not closed on its line: end it with a double quote; text of several lines ' +
          'is a heredoc (<<EOT) or has \\n in it',
      );
    }
    return quotedText(quoted.slice(1, -1), start + 1);
  }

  #heredoc(): string {
    const start = this.#position;
    // Until its end is known, the heredoc is all that is left: an unclosed one hides the rest.
    this.#position = this.#text.length;
    const heredoc = heredocAt(this.#text, start);
    if (heredoc === undefined) {
      this.#position = start;
      return this.#fail(
        `expected a value: ${LITERALS_ONLY}; a heredoc starts with <<NAME or <<-NAME and nothing ` +
          'after it on the line',
      );
    }
    this.#position = heredoc.end;
    return heredocText(this.#text, heredoc);
  }

  #negative(blank: RegExp): number {
    const start = this.#position;
    let sign = 1;
    while (this.#text[this.#position] === '-') {
      sign = -sign;
      this.#position++;
      this.#skip(blank);
    }
    const value = this.#value(blank);
    if (typeof value !== 'number') return this.#fail('only a number can follow a minus', start);
    return value === 0 ? 0 : sign * value;
  }

  /** Steps over the opening bracket; `content` reads up to and with the closing one. */
  #bracketed<T>(content: () => T): T {
    if (this.#open.length === MAX_NESTING) this.#fail(NESTED_TOO_DEEP);
    this.#open.push(this.#position);
    this.#position++;
    this.#skip(BLANK_OR_NEWLINE);
    const value = content();
    this.#open.pop();
    return value;
  }

  #list(): TfvarsValue[] {
    const items: TfvarsValue[] = [];
    while (!this.#takeSign(']')) {
      items.push(this.#value(BLANK_OR_NEWLINE));
      this.#skip(BLANK_OR_NEWLINE);
      if (this.#takeSign(']')) break;
      if (!this.#takeSign(',')) {
        this.#fail(`expected "," or "]" after a list's item: ${LITERALS_ONLY}`);
      }
      this.#skip(BLANK_OR_NEWLINE);
    }
    return items;
  }

  #map(): { [key: string]: TfvarsValue } {
    const entries: [string, TfvarsValue][] = [];
    while (!this.#takeSign('}')) {
      const key = this.#key();
      this.#skip(BLANK);
      if (this.#take(KEY_SEPARATOR) === undefined) {
        this.#fail('expected "=" or ":" after a map\'s key; put an unusual key in double quotes');
      }
      this.#skip(BLANK);
      entries.push([key, this.#value(BLANK)]);
      this.#skip(BLANK);
      if (this.#takeSign('}')) break;
      if (this.#take(ENTRY_SEPARATOR) === undefined) {
        this.#fail(`expected "," or a new line or "}" after a map's entry: ${LITERALS_ONLY}`);
      }
      this.#skip(BLANK_OR_NEWLINE);
    }
    // Unlike assignment, this makes `__proto__` a property; a repeated key's last value counts.
    return Object.fromEntries(entries);
  }

  #key(): string {
    const start = this.#position;
    const name = this.#take(NAME);
    // HCL reads a `for` expression wherever `for` comes first.
    if (name !== undefined && name !== 'for') return name.normalize('NFC');
    this.#position = start;
    const key = this.#value(BLANK);
    if (typeof key === 'string') return key;
    if (typeof key === 'boolean' || Number.isInteger(key)) return String(key);
    return this.#fail("a map's key is a name, a string or a whole number", start);
  }

  #parenthesised(): TfvarsValue {
    const value = this.#value(BLANK_OR_NEWLINE);
    this.#skip(BLANK_OR_NEWLINE);
    if (!this.#takeSign(')')) {
      this.#fail(`expected ")" after the value in parentheses: ${LITERALS_ONLY}`);
    }
    return value;
  }

  #skip(blank: RegExp): void {
    while (this.#take(blank) !== undefined);
    if (!this.#text.startsWith('/*', this.#position)) return;
    const start = this.#position;
    this.#position = this.#text.length;
    throw new HclProblem('the comment is not closed: "*/" must end it', start);
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#position;
    const taken = token.exec(this.#text)?.[0];
    this.#position += taken?.length ?? 0;
    return taken;
  }

  #takeSign(sign: string): boolean {
    const found = this.#text[this.#position] === sign;
    if (found) this.#position++;
    return found;
  }

  #fail(message: string, offset: number = this.#position): never {
    const [opener] = this.#open;
    if (this.#position < this.#text.length || opener === undefined) {
      throw new HclProblem(message, offset);
    }
    // The assignments that the unclosed bracket swallowed are read again, as assignments.
    this.#position = opener + 1;
    this.#open = [opener];
    throw new HclProblem(`the "${this.#text[opener]}" is not closed`, opener);
  }
}
