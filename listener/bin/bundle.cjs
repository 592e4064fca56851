const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { constants, Script } = require('node:vm');

/**
 * What `npm run build` has made of this listener, if it was made from what lies beside it now; else undefined.
 *
 * @param {string} listener its folder
 * @param {'main' | 'range-thread'} module
 * @returns {string | undefined} path of the script to run
 */
function freshBundle(listener, module = 'main') {
  const dist = join(listener, 'dist');
  try {
    const { digest, files } = JSON.parse(readFileSync(join(dist, 'inputs.json'), 'utf8'));
    if (digestOf(join(listener, '..'), files) !== digest) return undefined;
    return join(dist, digest, `${module}.cjs`);
  } catch {
    // There is no bundle, or one of the files is gone.
    return undefined;
  }
}

/**
 * The content of files, of which there are about a hundred: 5 ms.
 *
 * @param {string} root the folder that their names are relative to
 * @param {readonly string[]} files
 * @returns {string}
 */
function digestOf(root, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(join(root, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * Runs a script of the bundle by what V8 has compiled of it before, where that was done by this version of Node.js for such a
 * processor: V8 looks at its version and its flags itself, and compiles the script anew where they differ.
 *
 * @param {string} path
 * @returns {boolean} whether V8 took it
 */
function runBundle(path) {
  const script = compiled(path, readIfThere(cacheOf(path)));
  run(path, script);
  return script.cachedDataRejected === false;
}

/**
 * Runs a script of the bundle, and has V8 write down what it has compiled of it by then when the process ends.
 *
 * @param {string} path
 */
function cacheBundle(path) {
  const script = compiled(path);
  process.on('exit', () => writeFileSync(cacheOf(path), script.createCachedData()));
  run(path, script);
}

/**
 * @param {string} path
 * @param {Buffer} [cachedData]
 */
function compiled(path, cachedData) {
  const source = readFileSync(path, 'utf8').replace(/^#!.*/, '');
  const text = `(function (require, __filename) {${source}\n})`;
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return new Script(text, { filename: path, cachedData, importModuleDynamically });
}

/**
 * @param {string} path
 * @param {Script} script
 */
function run(path, script) {
  script.runInThisContext()(createRequire(path), path);
}

/** @param {string} path */
function cacheOf(path) {
  return join(dirname(path), `main.${process.arch}.cache`);
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path);
  } catch {
    // It is of another processor, as in an image that was built on another machine.
    return undefined;
  }
}

module.exports = { freshBundle, digestOf, runBundle, cacheBundle };
