/**
 * A module for `node --import`, as a data URL: lets a TypeScript source be run as it is, by taking `./x.ts` where `./x.js` was asked
 * for and is not there. Only tests run sources; a build has the compiled files.
 */
const code = `
import { registerHooks } from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
registerHooks({
  resolve(specifier, context, next) {
    if (/^\\.\\.?\\/.*\\.js$/.test(specifier) && context.parentURL?.startsWith('file:')) {
      const source = new URL(specifier.replace(/\\.js$/, '.ts'), context.parentURL);
      if (existsSync(fileURLToPath(source)) && !existsSync(fileURLToPath(new URL(specifier, context.parentURL)))) return next(source.href, context);
    }
    return next(specifier, context);
  },
});`;

export const resolveSourcesHook = `data:text/javascript,${encodeURIComponent(code)}`;
