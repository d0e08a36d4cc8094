/**
 * For specs that make many runs: the real tools, each asked once. The same tool with the same arguments in a folder with the same files
 * comes to the same, so what it answered, and the files that it wrote, are there at once the next time.
 */
import { createHash } from 'node:crypto';
import type { Tool } from '@cadre/agents';
import type { Workspace } from '@cadre/worker-kit';

interface Remembered {
  result: Awaited<ReturnType<Tool['run']>>;
  files: Map<string, Uint8Array>;
}

const memory = new Map<string, Promise<Remembered>>();

async function filesOf(workspace: Workspace): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { path } of await workspace.list()) files.set(path, await workspace.readBytes(path));
  return files;
}

const digestOf = (files: ReadonlyMap<string, Uint8Array>): string => {
  const hash = createHash('sha256');
  for (const [path, bytes] of files) hash.update(path).update(bytes);
  return hash.digest('hex');
};

/** Charts and reports of other tasks change nothing for a tool that reads data or code. */
const matters = (path: string): boolean => /^(inputs|src|test|data)\//.test(path);

export function rememberedTool(tool: Tool, workspace: Workspace): Tool {
  return {
    ...tool,
    run: async (args, context) => {
      const before = await filesOf(workspace);
      const key = JSON.stringify([tool.name, args, digestOf(new Map([...before].filter(([path]) => matters(path))))]);
      let known = memory.get(key);
      if (known === undefined) {
        known = (async () => {
          const result = await tool.run(args, context);
          const files = new Map([...(await filesOf(workspace))].filter(([path, bytes]) => before.get(path)?.length !== bytes.length));
          return { result, files };
        })();
        memory.set(key, known);
      }
      const { result, files } = await known;
      for (const [path, bytes] of files) await workspace.write(path, bytes);
      return result;
    },
  };
}
