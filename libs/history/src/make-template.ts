/** Run by the build: puts the PGlite template beside the compiled library. */
import { existsSync } from 'node:fs';
import { builtPath, makeTemplate } from './pglite-template.js';

if (!existsSync(builtPath())) await makeTemplate(builtPath());
