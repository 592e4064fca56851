import { DELIMITERS, type FoundDialect } from '../dialect-finder.ts';
import type { Check, Found } from './check.ts';

type Kind = 'incorrect-dialect' | 'sep-line';

/**
 * Whether the file is written as it is declared. It fails where it is not, and its cells are checked by what was found;
 * where nobody declared anything, neither a schema nor a dialect, it is read by what was found and warned.
 */
export const DIALECT_CHECK: Check<Kind> = {
  kinds: ['incorrect-dialect', 'sep-line'],
  begin(file) {
    const isMild = file.schema === undefined && !file.dialect.declared;
    let suspicion: string | undefined;
    const note = (sentence: string, line: number, found: Found<Kind>): void => {
      if (!found.count('incorrect-dialect', -1, 1, isMild)) return;
      found.listFile('incorrect-dialect', sentence, { line });
    };
    return {
      dialect({ differences, sepLine }: FoundDialect, found) {
        if (sepLine > 0 && found.count('sep-line')) {
          const message = "Line 1 is Excel's, which names the delimiter; it was skipped.";
          found.listFile('sep-line', message, { line: 1, byte: 0 });
        }
        for (const { sentence } of differences) note(sentence, sepLine > 0 ? 2 : 1, found);
      },
      match(labels) {
        suspicion = dialectSuspicion(labels, String.fromCharCode(file.dialect.delimiter));
        return undefined;
      },
      header({ intact, line }, found) {
        if (intact && suspicion !== undefined) note(suspicion, line, found);
      },
    };
  },
};

/** What speaks for another dialect in a header that was read as one label, where the rows did not tell which. */
export function dialectSuspicion(labels: readonly string[], delimiter: string): string | undefined {
  const [label = ''] = labels;
  if (labels.length !== 1) return undefined;
  if (label.includes(delimiter)) {
    return 'The header is one quoted cell, and holds the delimiter: no columns can be told apart.';
  }
  const [likely] = DELIMITERS.map(({ character, name }) => ({
    character,
    name,
    count: label.split(character).length - 1,
  })).sort((a, b) => b.count - a.count);
  if (likely === undefined || likely.count === 0) return undefined;
  const { character, count, name } = likely;
  const times = count === 1 ? `a ${name}` : `${count} ${name}s`;
  return `The header is read as one label, and holds ${times}: declare {"delimiter": ${JSON.stringify(character)}} in the dialect if that stands between the cells.`;
}
