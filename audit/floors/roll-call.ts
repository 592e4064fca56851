/**
 * Compares what should be read with what was: a scanner that reads nothing says green, too.
 *
 * @param reader - who read, for the sentence
 * @param expected - addresses of the synthesized resources
 * @param seen - addresses that the reader answered for
 * @returns a sentence for each address that was not read, or that nobody knows
 */
export function rollCall(
  reader: string,
  expected: readonly string[],
  seen: readonly string[],
): readonly { readonly address: string; readonly message: string }[] {
  return [
    ...expected
      .filter((address) => !seen.includes(address))
      .map((address) => ({
        address,
        message: `${reader} did not read it, though it is synthesized.`,
      })),
    ...seen
      .filter((address) => !expected.includes(address))
      .map((address) => ({ address, message: `${reader} read it, though it is not synthesized.` })),
  ];
}
