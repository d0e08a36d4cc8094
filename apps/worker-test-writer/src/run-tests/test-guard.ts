/**
 * Loaded before the tests. Node's permission model fences the file system, processes, threads and addons; it does not fence the
 * network, signals and SQLite's own file access. This takes those away: tests may import only the built-in modules listed here. Where
 * the system has namespaces, the process has no network to reach either; this is the fence where it has none.
 */
import { isBuiltin, registerHooks } from 'node:module';

const ALLOWED = new Set(
  (
    'assert assert/strict async_hooks buffer console constants crypto diagnostics_channel events fs fs/promises os path path/posix ' +
    'path/win32 perf_hooks process punycode querystring readline readline/promises stream stream/consumers stream/promises stream/web ' +
    'string_decoder sys test test/reporters timers timers/promises tty url util util/types zlib'
  ).split(' '),
);

function refusal(what: string): Error {
  return Object.assign(new Error(`${what} is not available to tests: they run without network and other processes.`), {
    code: 'ERR_ACCESS_DENIED',
  });
}

function check(specifier: string): void {
  const name = specifier.replace(/^node:/, '');
  if (isBuiltin(specifier) && !ALLOWED.has(name)) throw refusal(`node:${name}`);
}

function refuse(holder: object, name: string): void {
  const thrower = () => {
    throw refusal(name);
  };
  Object.defineProperty(holder, name, { value: thrower, writable: false, configurable: false });
}

registerHooks({
  resolve(specifier, context, next) {
    check(specifier);
    const resolved = next(specifier, context);
    check(resolved.url);
    return resolved;
  },
});

const getBuiltin = process.getBuiltinModule.bind(process) as (id: string) => object | undefined;
Object.defineProperty(process, 'getBuiltinModule', {
  value: (id: string) => {
    check(String(id));
    return getBuiltin(String(id));
  },
  writable: false,
  configurable: false,
});
for (const name of ['binding', '_linkedBinding', 'dlopen', 'kill', '_kill', '_debugProcess', '_debugEnd', 'abort']) refuse(process, name);
for (const name of ['fetch', 'WebSocket', 'EventSource']) refuse(globalThis, name);
