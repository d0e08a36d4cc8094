/** The public names of the local system: all services of an installation as supervised processes of this machine. */
export { LocalSystem } from './local-system.js';
export { hasOwnModel, installationRoot, localSystem, mainOf, serviceEnvironment } from './local-services.js';
export type { LocalSystemOptions } from './local-services.js';
export { LOCAL_SERVICES, WORKERS } from './service-list.js';
export type { LocalService } from './service-list.js';
export { startNodeProcess } from './node-process.js';
export type { NodeProcessOptions } from './node-process.js';
export { DEFAULT_PORT, fixedPorts, freePorts, requireFree, takenPorts } from './ports.js';
export type { Ports } from './ports.js';
export type { ProcessSpec, RunningProcess } from './running-process.js';
export { Supervisor } from './supervisor.js';
export type { ProcessChange, SupervisorOptions } from './supervisor.js';
