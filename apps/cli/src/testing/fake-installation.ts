/**
 * An installation whose services are stand-ins: each writes its ready file and waits; the gateway is the client library's stand-in, with a
 * worker of each kind. Lets tests run the real command line, supervisor and NATS without the real services.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SKILLS } from '@cadre/contracts';
import { LOCAL_SERVICES, mainOf, WORKERS } from '@cadre/local-system';

const ready = `
import { writeFileSync, appendFileSync } from 'node:fs';
appendFileSync(process.env.CADRE_READY_FILE + '.pids', process.pid + '\\n');
const tellReady = (url) => writeFileSync(process.env.CADRE_READY_FILE, JSON.stringify({ url, pid: process.pid }));
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 20));
`;

/** @param root an empty folder @param sdkTesting path of the built stand-in gateway */
export async function fakeInstallation(root: string, sdkTesting: string): Promise<void> {
  const workers = WORKERS.map((specialty) => ({
    ...{
      workerId: `w-${specialty}`,
      epoch: 'e',
      specialty,
      state: 'idle',
      slots: 2,
      held: 0,
      lost: false,
      at: 1,
      startedAt: 1,
      lastSeenAt: 1,
    },
    agents: [{ name: specialty, description: 'stand-in', skills: Object.values(SKILLS) }],
  }));
  const gateway = `${ready}
import { StandInGateway } from ${JSON.stringify(pathToFileURL(sdkTesting).href)};
const gateway = await StandInGateway.start({ port: Number(process.env.HTTP_PORT), stepMs: Number(process.env.STEP_MS ?? 5) });
gateway.workers = ${JSON.stringify(workers)};
tellReady(gateway.url);
`;
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  for (const service of LOCAL_SERVICES) {
    const main = mainOf(root, service);
    await mkdir(dirname(main), { recursive: true });
    await writeFile(main, service.name === 'gateway' ? gateway : `${ready}\ntellReady('x');\nsetInterval(() => {}, 1000);\n`);
  }
}
