import { makeRunFolder } from './run-folder.ts';

/** A process of its own that makes a run's folder, says which, and waits to be killed. */
process.send?.((await makeRunFolder(process.argv[2] ?? '')).path);
