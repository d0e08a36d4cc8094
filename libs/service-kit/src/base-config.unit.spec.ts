import { CadreError } from '@cadre/contracts';
import { z } from 'zod';
import { BaseConfig, envFlag, envInt, envUrl, loadConfig } from './base-config.js';

const App = BaseConfig.extend({
  APP_LIMIT: envInt(1, 10).default(5),
  APP_URL: envUrl().optional(),
  APP_KEY: z.string().min(20, 'must be at least 20 characters').optional(),
  APP_FLAG: envFlag().default(false),
  APP_NEEDED: z.string({ error: 'is needed' }),
});

test('defaults apply, and empty variables count as not set', () => {
  expect(loadConfig('app', App, { APP_NEEDED: 'x', HTTP_PORT: '', APP_LIMIT: '' })).toMatchObject({
    NATS_URL: 'nats://127.0.0.1:4222',
    HTTP_PORT: 0,
    HTTP_HOST: '127.0.0.1',
    CADRE_SHARDS: 1,
    CADRE_PROFILE: 'durable',
    CADRE_REPLICAS: 0,
    CADRE_NATS_MONITOR: [],
    CADRE_UNVERIFIED_BROKER: 'refuse',
    APP_LIMIT: 5,
    APP_FLAG: false,
  });
  expect(loadConfig('app', App, { APP_NEEDED: 'x', APP_FLAG: '1', HTTP_PORT: '8080' })).toMatchObject({ APP_FLAG: true, HTTP_PORT: 8080 });
});

test('all faults are told at once, each with the variable, its value and what is wrong; secrets stay hidden', () => {
  const env = {
    HTTP_PORT: '70000',
    NATS_URL: 'http://x',
    LOG_LEVEL: 'loud',
    CADRE_PROFILE: 'safe',
    CADRE_NATS_MONITOR: 'http://a:8222, b:8222',
    APP_LIMIT: '1.5',
    APP_URL: 'nowhere',
    APP_KEY: 'sk-short',
    APP_FLAG: 'maybe',
  };
  let error: unknown;
  try {
    loadConfig('app', App, env);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(CadreError);
  expect((error as CadreError).code).toBe('config-invalid');
  expect((error as CadreError).message.split('\n')).toEqual([
    'app cannot start: 10 settings are wrong.',
    '  NATS_URL (is "http://x"): must be a NATS URL such as nats://127.0.0.1:4222',
    '  HTTP_PORT (is "70000"): must be a whole number from 0 to 65535',
    '  LOG_LEVEL (is "loud"): must be one of trace, debug, info, warn, error, fatal, silent',
    '  CADRE_PROFILE (is "safe"): must be durable or fast',
    '  CADRE_NATS_MONITOR (is "http://a:8222, b:8222"): must be a URL such as http://127.0.0.1:8080',
    '  APP_LIMIT (is "1.5"): must be a whole number from 1 to 10',
    '  APP_URL (is "nowhere"): must be a URL such as http://127.0.0.1:8080',
    '  APP_KEY (value hidden): must be at least 20 characters',
    '  APP_FLAG (is "maybe"): must be 1 or 0',
    '  APP_NEEDED (not set): is needed',
  ]);
});

test('a password in a URL is not shown', () => {
  expect(() => loadConfig('app', App, { APP_NEEDED: 'x', APP_URL: 'ftp://bob:secret@host' })).toThrow(/APP_URL \(value hidden\)/);
});
