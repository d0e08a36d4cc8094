/** Specs are compiled by swc as native ES modules and run against the sources, so that no build is needed before a test. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/tools'],
  // Long matrices of real files have a target of their own, `slow`.
  testMatch: ['**/!(*.slow).spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@cadre/([^/]+)/testing$': '<rootDir>/libs/$1/src/testing/index.ts',
    '^@cadre/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testTimeout: 90_000,
  maxWorkers: 2,
  // One project alone needs no lanes.
  ...(process.env['NX_TASK_TARGET_PROJECT'] ? {} : { runner: '<rootDir>/tools/jest-runner.mjs' }),
  reporters: ['default', '<rootDir>/tools/count-reporter.mjs'],
};
