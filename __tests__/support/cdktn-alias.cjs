// Makes every import of cdktf one of cdktn, and of constructs one of the version that cdktn wants: what an alias in
// package.json ("cdktf": "npm:cdktn@…") would do.
const { registerHooks } = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const ALIASES = { cdktf: 'cdktn', constructs: 'constructs-of-cdktn' };
const parentURL = pathToFileURL(join(__dirname, 'parent.cjs')).href;

registerHooks({
  resolve(specifier, context, next) {
    const [name] = specifier.split('/', 1);
    const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
    if (alias === undefined) return next(specifier, context);
    // From here, since a package's own node_modules may hold another version.
    return next(`${alias}${specifier.slice(name.length)}`, { ...context, parentURL });
  },
});
