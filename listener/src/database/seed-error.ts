/** One thing that is wrong with a folder of definitions. */
export interface SeedFault {
  /** Path below the folder. */
  readonly file: string;
  /** Where in the file, as a path into its JSON; empty for the file as a whole. */
  readonly path: string;
  /** What was found and what is allowed. */
  readonly message: string;
}

/** Definitions that can't be loaded, with everything that is wrong with them. */
export class SeedError extends Error {
  override readonly name = 'SeedError';
  readonly code = 'SEED_INVALID';
  readonly faults: readonly SeedFault[];

  constructor(folder: string, faults: readonly SeedFault[]) {
    const lines = faults.map(({ file, path, message }) =>
      [file, path, message].filter((part) => part !== '').join(': '),
    );
    super(
      `the definitions in ${folder} can't be loaded:\n${lines.map((l) => `- ${l}`).join('\n')}`,
    );
    this.faults = faults;
  }
}
