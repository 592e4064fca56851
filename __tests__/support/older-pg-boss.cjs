// Makes every import of pg-boss one of the release before ours, which a devDependency brings by an alias: the listener
// as it was before an upgrade of pg-boss.
const { registerHooks } = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const parentURL = pathToFileURL(join(__dirname, 'parent.cjs')).href;

registerHooks({
  resolve(specifier, context, next) {
    if (!/^pg-boss(\/|$)/.test(specifier)) return next(specifier, context);
    // It takes a queue's tables away again, which the release before ours has no statements for.
    if (/\/placement\.ts$/.test(context.parentURL)) return next(specifier, context);
    return next(specifier.replace('pg-boss', 'pg-boss-12.35'), { ...context, parentURL });
  },
});
