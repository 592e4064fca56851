import { join } from 'node:path';

/**
 * Lets the commands that tests start share what Node compiles of them, where `npm run synth` keeps
 * it too (Node.js, "Module compile cache"): compiling is half of a short command's time.
 */
export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/node'),
};
