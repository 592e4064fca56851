/** See bundle.cjs. */
export function freshBundle(listener: string, module?: 'main' | 'range-thread'): string | undefined;
export function digestOf(root: string, files: readonly string[]): string;
