/**
 * Loaded before a test's child process: whoever is killed with `kill -9` can't end its children, so
 * they notice by themselves.
 */
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
