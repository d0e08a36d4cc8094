/** What requests are made of. */
import type { RunRequest } from '@cadre/contracts';
import type { z } from 'zod';
import { CadreApiError } from './errors.js';

export type RunRequestInput = z.input<typeof RunRequest>;

/** A file to upload with a run. Large files are best given as a Blob that is read when sent. */
export interface InputFile {
  /** The name under which agents see it. */
  name: string;
  data: Blob | Uint8Array<ArrayBuffer> | string;
}

export interface StartRunOptions {
  files?: InputFile[];
  /** The same key with the same request gives the same run, however often it is sent. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export const JSON_BODY = { 'content-type': 'application/json' };

/** Tries again, after a growing pause, while the gateway says that it cannot answer for the moment. */
export async function repeated<T>(times: number, ask: () => Promise<T>): Promise<T> {
  for (let again = 0; ; again += 1) {
    try {
      return await ask();
    } catch (error) {
      if (again >= times || !(error instanceof CadreApiError) || error.status !== 503) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** again));
    }
  }
}

/** The query of an address; what is undefined is left out. */
export function search(query: Record<string, string | number | undefined>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) params.set(key, String(value));
  return params.size === 0 ? '' : `?${params}`;
}

export function form(request: string, files: InputFile[]): FormData {
  const data = new FormData();
  // The request goes first, so that the gateway can refuse it before it has read the files.
  data.set('request', request);
  for (const { name, data: content } of files) data.append('input', content instanceof Blob ? content : new Blob([content]), name);
  return data;
}
