import { join } from 'node:path';

/**
 * Where the programs of a test run share what Node compiles of them (Node.js, "Module compile
 * cache"), for one whose environment is not the test's: compiling is half of a short command's time.
 */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };

/**
 * The same for the programs of a copied checkout, in the cache of `npm run synth`. A portable cache knows a module by
 * its path from the cache, which is the same in each copy whose node_modules is a link to the one: the next copy finds
 * what this one has compiled.
 */
export function compileCacheOf(checkout: string): Readonly<Record<string, string>> {
  return {
    NODE_COMPILE_CACHE: join(checkout, 'node_modules/.cache/node'),
    NODE_COMPILE_CACHE_PORTABLE: '1',
  };
}
