import { fileURLToPath } from 'node:url';

/** The definitions that come with the repository. */
export const SEED_FOLDER = fileURLToPath(new URL('../../seed/', import.meta.url));
