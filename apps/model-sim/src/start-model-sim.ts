/** Starts the model server: plain HTTP, without NATS, so that it can stand alone as any model server does. */
import 'reflect-metadata';
import { rename, writeFile } from 'node:fs/promises';
import { loadConfig } from '@cadre/service-kit';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ModelSimConfig } from './model-sim.config.js';
import { ModelSimModule } from './model-sim.module.js';
import { OpenAiErrorFilter } from './openai-error.filter.js';
import { loadTokenCounter } from './wire/tokens.js';

/** Conversations hold files; ten times what a model could read. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export interface RunningModelSim {
  /** Without a path; the OpenAI base URL is this plus `/v1`. */
  url: string;
  stop(): Promise<void>;
}

/** @param env settings; see `ModelSimConfig`. Errors: `CadreError` `config-invalid`, and those of listening. */
export async function startModelSim(env: NodeJS.ProcessEnv): Promise<RunningModelSim> {
  const config = loadConfig('model-sim', ModelSimConfig, env);
  const logger = new ConsoleLogger('model-sim', { json: true, logLevels: levelsOf(config.LOG_LEVEL) });
  const adapter = new FastifyAdapter({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  const app = await NestFactory.create<NestFastifyApplication>(ModelSimModule.with(config), adapter, { logger, abortOnError: false });
  app.useGlobalFilters(new OpenAiErrorFilter());
  await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : config.HTTP_PORT;
  const host = config.HTTP_HOST === '0.0.0.0' || config.HTTP_HOST === '::' ? '127.0.0.1' : config.HTTP_HOST;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (config.CADRE_READY_FILE !== undefined) await writeReady(config.CADRE_READY_FILE, url);
  logger.log(`listens on ${url}`);
  setImmediate(() => void loadTokenCounter());
  return { url, stop: () => app.close() };
}

function levelsOf(level: ModelSimConfig['LOG_LEVEL']): LogLevel[] {
  if (level === 'silent') return [];
  const quiet: LogLevel[] = ['fatal', 'error', 'warn'];
  return level === 'trace' || level === 'debug' ? [...quiet, 'log', 'debug', 'verbose'] : level === 'info' ? [...quiet, 'log'] : quiet;
}

/** Whole or not at all: a reader never sees half a file. */
async function writeReady(path: string, url: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, JSON.stringify({ url, pid: process.pid }));
  await rename(draft, path);
}
