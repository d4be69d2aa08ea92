const tests = '\\.test\\.ts$|test-support|/testing/';
/** One place per client library: nothing else may know it. */
const clients = {
  lmdb: 'services/platform/src/bus/kv\\.ts$',
  '@clickhouse/client': 'services/platform/src/store/clickhouse\\.ts$',
  // The second is a fixture of tests.
  chdb: 'services/platform/src/(store/chdb-child|testing/clickhouse/front-child)\\.ts$',
  kafkajs: 'services/platform/src/bus/kafka/',
};

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'schemas-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^schemas/src' },
      to: { path: '^services/' },
    },
    {
      name: 'platform-imports-schemas-only',
      severity: 'error',
      from: { path: '^services/platform/' },
      to: { path: '^services/(?!platform/)' },
    },
    {
      name: 'services-meet-in-topics',
      comment: 'A service knows schemas and platform. Only the command line composes services.',
      severity: 'error',
      from: { path: '^services/(?!platform/|cli/)([^/]+)/' },
      to: { path: '^services/(?!platform/)', pathNot: '^services/$1/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^services/[^/]+/src/core/', pathNot: tests },
      // Of zlib its sum over bytes.
      to: { pathNot: '^services/[^/]+/src/core/|^schemas/src/|^(node:)?(crypto|zlib)$' },
    },
    ...Object.entries(clients).map(([library, home]) => ({
      name: `only-one-place-imports-${library}`,
      severity: 'error',
      from: { pathNot: `^${home}` },
      to: { path: `node_modules/${library}(/|$)` },
    })),
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules/(?!lmdb|chdb|kafkajs|@clickhouse/client)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
