import { HclProblem, heredocAt, IDENTIFIER } from './hcl-strings.ts';

/**
 * What must not be taken for brackets or line ends while skipping: strings, comments. The last two
 * alternatives are brackets, line ends and heredoc signs one by one, then everything in between.
 */
const SKIPPED =
  /"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"?|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[[\](){}\n<]|[^"#/[\](){}\n<]+|\//y;

/**
 * `name = value` on one line. The value is asked for since the last line of a broken base64 text
 * ends in `=` too: it may be a secret, and must not be reported as a variable's name.
 */
const ASSIGNMENT = new RegExp(`([ \\t]*)${IDENTIFIER}[ \\t]*=(?![=>])[ \\t]*[^\\s]`, 'uy');

/**
 * Where to read on after a fault: at the next line that starts an assignment outside of all
 * brackets. Inside of brackets too if the line isn't indented, since then the fault may well be a
 * missing bracket.
 *
 * @param from - the offset to skip from
 * @param openBrackets - how many brackets are open there
 * @returns the offset of a line's start, or the text's length where no assignment follows
 */
export function nextAssignment(text: string, from: number, openBrackets: number): number {
  if (text[from - 1] === '\n' && startsAssignment(text, from, openBrackets)) return from;
  let depth = openBrackets;
  SKIPPED.lastIndex = from;
  for (let match = SKIPPED.exec(text); match !== null; match = SKIPPED.exec(text)) {
    const [token] = match;
    if (token === '[' || token === '(' || token === '{') depth++;
    else if (token === ']' || token === ')' || token === '}') depth = Math.max(0, depth - 1);
    else if (token === '<') SKIPPED.lastIndex = behindHeredoc(text, match.index);
    else if (token === '\n' && startsAssignment(text, match.index + 1, depth)) {
      return match.index + 1;
    }
  }
  return text.length;
}

function startsAssignment(text: string, lineStart: number, depth: number): boolean {
  ASSIGNMENT.lastIndex = lineStart;
  const indent = ASSIGNMENT.exec(text)?.[1];
  return indent !== undefined && (depth === 0 || indent === '');
}

function behindHeredoc(text: string, start: number): number {
  try {
    return heredocAt(text, start)?.end ?? start + 1;
  } catch (error) {
    if (error instanceof HclProblem) return text.length;
    throw error;
  }
}
