/** See bundle.cjs. */
export function freshBundle(listener: string, module?: 'main' | 'range-thread'): string | undefined;
export function digestOf(root: string, files: readonly string[]): string;
export function runBundle(path: string): boolean;
export function cacheBundle(path: string): void;
