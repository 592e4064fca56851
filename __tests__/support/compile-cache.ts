/**
 * Where the programs of a test run share what Node compiles of them (Node.js, "Module compile
 * cache"), for one whose environment is not the test's: compiling is half of a short command's time.
 */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
