/** The test writer's tools: those on code, and `run_tests`. */
import type { ToolFactory } from '@cadre/worker-kit';
import { codeFiles, codeTools, standardTool } from '@cadre/worker-kit';
import { TEST_LIMITS, runTests } from './run-tests/run-tests.js';
import type { TestLimits } from './run-tests/run-tests.js';

/** The tools for one attempt. */
export function testTools(limits: TestLimits = TEST_LIMITS): ToolFactory {
  return (workspace) => [
    ...codeTools(workspace),
    standardTool('run_tests', 'none', ({ files }, { signal }) => runTests(workspace, codeFiles(workspace, files), signal, limits)),
  ];
}
