/** See bundle.cjs. */
export function freshBundle(listener: string): string | undefined;
export function digestOf(root: string, files: readonly string[]): string;
