import { registerHooks } from 'node:module';

/** From here on the repositories' code, and only theirs, finds these files where it asks for the machine's file system. */

const REPLACED = new Map([
  ['node:fs', new URL('fs.ts', import.meta.url).href],
  ['node:fs/promises', new URL('fs-promises.ts', import.meta.url).href],
]);
const REPOSITORIES = new URL('../../controller/git/', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const url = REPLACED.get(specifier);
    if (url === undefined || context.parentURL?.startsWith(REPOSITORIES) !== true) return next(specifier, context);
    return { url, format: 'module-typescript', shortCircuit: true };
  },
});
