import { createRequire } from 'node:module';

/**
 * Makes cdktf start and run faster, without a change in what it synthesizes. To be imported before
 * cdktf: its archiver takes two fifths of the time that cdktf needs to load, and is for file assets,
 * which we have none of; a stack trace is captured for each token, which only a broken token needs.
 */
const requireFromCdktf = createRequire(createRequire(import.meta.url).resolve('cdktf'));
const archiver = requireFromCdktf.resolve('archiver');

const createArchive = (...options: unknown[]): unknown => {
  delete requireFromCdktf.cache[archiver];
  return requireFromCdktf('archiver')(...options);
};
requireFromCdktf.cache[archiver] = {
  id: archiver,
  filename: archiver,
  path: archiver,
  loaded: true,
  exports: createArchive,
  children: [],
  paths: [],
  parent: null,
  require: requireFromCdktf,
  isPreloading: false,
};

const { captureStackTrace } = Error;
Error.captureStackTrace = (subject, below) => {
  // cdktf's has an empty stack; other libraries read what they get (depd, by `callsites`).
  const ofToken = !(subject instanceof Error) && 'stack' in subject && subject.stack === '';
  if (!ofToken) captureStackTrace(subject, below);
};
