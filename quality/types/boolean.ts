import { encodeText, equalsBytes } from '../text.ts';
import { type CellType, orderKey } from './cell-type.ts';

export const DEFAULT_TRUE_VALUES = ['true', 'True', 'TRUE', '1'];
export const DEFAULT_FALSE_VALUES = ['false', 'False', 'FALSE', '0'];

/** Table Schema `boolean`: one of the texts that mean true or false, upper and lower case told apart. */
export function booleanType(
  trueValues: readonly string[],
  falseValues: readonly string[],
): CellType {
  const truths = trueValues.map(encodeText);
  const falsehoods = falseValues.map(encodeText);
  return {
    read: (bytes, start, end) => {
      for (const text of truths) if (equalsBytes(bytes, start, end, text)) return 1;
      for (const text of falsehoods) if (equalsBytes(bytes, start, end, text)) return 0;
      return Number.NaN;
    },
    key: orderKey,
    words: [...trueValues, ...falseValues],
    show: (value) => value === 1,
  };
}
