// Loaded before any TypeScript, which an older Node.js refuses with ERR_UNKNOWN_FILE_EXTENSION and a
// stack trace. npm ci brings a newer one, but not with --omit=optional, nor for every platform.
const LEAST = 26;

if (Number.parseInt(process.versions.node, 10) < LEAST) {
  process.stderr.write(
    `Node.js ${LEAST} or newer is needed and this is ${process.versions.node}: run npm ci without --omit=optional, or install a newer Node.js\n`,
  );
  process.exit(2);
}
