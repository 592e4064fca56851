/** A record as both readers tell it. */
export interface ScannedRecord {
  cells: string[];
  offset: number;
  line: number;
  quotes: 'valid' | 'stray' | 'unclosed';
  quoteCell: number;
  quoteOffset: number;
  tooLarge?: boolean;
}

type Quoted =
  | { how: 'closed'; value: string; next: number }
  | { how: 'stray'; at: number }
  | { how: 'opensNext'; next: number }
  | { how: 'unclosed'; end: number };

/** The scanner's rules over a whole text with look-ahead and no state: slow, and plain enough to be believed. */
export function referenceRecords(text: string): ScannedRecord[] {
  const records: ScannedRecord[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const record: ScannedRecord = {
      cells: [],
      offset: at,
      line,
      quotes: 'valid',
      quoteCell: -1,
      quoteOffset: -1,
    };
    const fault = (quotes: 'stray' | 'unclosed', quoteOffset: number) => {
      if (record.quotes !== 'valid') return;
      Object.assign(record, { quotes, quoteOffset, quoteCell: record.cells.length });
    };
    let i = at;
    for (;;) {
      const from = i;
      if (text[i] === '"') {
        const quoted = readQuoted(text, i);
        if (quoted.how === 'closed') {
          record.cells.push(quoted.value);
          i = quoted.next;
        } else if (quoted.how === 'unclosed') {
          fault('unclosed', i);
          record.cells.push(text.slice(i + 1, quoted.end));
          i = quoted.end;
        } else if (quoted.how === 'opensNext') {
          fault('unclosed', i);
          record.cells.push(text.slice(i + 1, quoted.next - 1));
          i = quoted.next;
          continue;
        } else {
          fault('stray', quoted.at);
          i = plainEnd(text, quoted.at);
          record.cells.push(text.slice(from, i));
        }
      } else {
        i = plainEnd(text, i);
        const value = text.slice(from, i);
        if (value.includes('"') && !/^="[^"]*"$/.test(value))
          fault('stray', from + value.indexOf('"'));
        record.cells.push(value);
      }
      if (text[i] !== ',') break;
      i++;
    }
    records.push(record);
    line += (text.slice(at, i).match(/\r\n|\r|\n/g) ?? []).length + 1;
    at = i + (text.startsWith('\r\n', i) ? 2 : 1);
  }
  return records;
}

function readQuoted(text: string, open: number): Quoted {
  let value = '';
  let firstBreak = -1;
  for (let i = open + 1; ; i++) {
    const character = text[i];
    if (character === undefined) {
      return { how: 'unclosed', end: firstBreak < 0 ? i : firstBreak };
    }
    if (character === '"') {
      const next = text[i + 1];
      if (next === '"') i++;
      else if (next === undefined || ',\r\n'.includes(next))
        return { how: 'closed', value, next: i + 1 };
      else if (firstBreak >= 0) return { how: 'unclosed', end: firstBreak };
      else if (text[i - 1] === ',' && i - 1 > open) return { how: 'opensNext', next: i };
      else return { how: 'stray', at: i };
    } else if (character === '\r' || character === '\n') {
      if (firstBreak < 0) firstBreak = i;
    }
    value += character;
  }
}

function plainEnd(text: string, from: number): number {
  const length = text.slice(from).search(/[,\r\n]/);
  return length < 0 ? text.length : from + length;
}
