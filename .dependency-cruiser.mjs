/** Who may import whom: the arrows of the architecture, held by `npm run imports`. */
export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle hides which of two modules depends on the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'cdktf-only-in-stacks',
      comment: 'The framework is archived: what does not build constructs must not know it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(stack|foundation-network|file-processing|startup)/' },
      to: { path: 'node_modules/(cdktf|constructs|@cdktf/)' },
    },
    {
      name: 'providers-by-deep-path',
      comment: 'The index of a provider takes seconds to load.',
      severity: 'error',
      from: {},
      to: { path: 'node_modules/@cdktf/provider-[a-z]+/lib/index\\.' },
    },
    {
      name: 'settings-know-nothing-else',
      comment: 'Settings are the first link of the chain settings -> policies -> stacks -> main.',
      severity: 'error',
      from: { path: '^src/settings/' },
      to: { path: '^src/', pathNot: '^src/settings/' },
    },
    {
      name: 'policies-know-settings-alone',
      severity: 'error',
      from: { path: '^src/policies/' },
      to: { path: '^src/', pathNot: '^src/(policies|settings)/' },
    },
    {
      name: 'shared-stack-parts-know-no-stack',
      severity: 'error',
      from: { path: '^src/stack/' },
      to: { path: '^src/(foundation-network|file-processing)/' },
    },
    {
      name: 'stacks-do-not-know-each-other',
      comment: 'The network is found by its names.',
      severity: 'error',
      from: { path: '^src/(foundation-network|file-processing)/' },
      to: { path: '^src/(foundation-network|file-processing)/', pathNot: '^src/$1/' },
    },
    {
      name: 'sources-do-not-know-tests',
      severity: 'error',
      from: { path: '^(src/|main\\.ts)' },
      to: { path: '^(__tests__|test-support|bench)/' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-unlisted-package',
      severity: 'error',
      from: { path: '^(src/|main\\.ts)' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-orphans',
      comment: 'A module that nothing imports is dead.',
      severity: 'error',
      from: { orphan: true, path: '^src/' },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
