/** Reads a request to start a run from HTTP: JSON, or a form with the request and its files. */
import type { IncomingMessage } from 'node:http';
import type { Multipart, MultipartFile } from '@fastify/multipart';
import { MAX_GOAL_BYTES, type ArtifactRef, type RunRequest } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { InputProblem } from '@cadre/service-kit';
import type { FastifyRequest } from 'fastify';
import { inputFile } from './input-files.js';
import { MAX_BODY_BYTES, parseRunRequest } from './run-request.js';
import type { UploadBudget } from './upload-budget.js';

/** Largest text field of a form: that of a request. */
const FIELD_BYTES = MAX_BODY_BYTES;
/** How long the rest of a refused upload is read and dropped, so that the client gets to see the answer. */
const DRAIN_MS = 30_000;

/** The form parser's errors have no code. */
const PARSER_FAULT = /multipart|^The needle/i;

export interface UploadLimits {
  fileBytes: number;
  files: number;
}

export class SubmissionReader {
  constructor(
    private readonly blobs: Blobs,
    private readonly budget: UploadBudget,
    private readonly limits: UploadLimits,
  ) {}

  /**
   * `uploaded`: whether the inputs came with the request. Files are stored as they come; nothing else is done yet.
   * @throws InputProblem for everything that is wrong with it
   */
  async read(request: FastifyRequest): Promise<{ request: RunRequest; uploaded: boolean }> {
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type === 'application/json') return { request: parseRunRequest(request.body), uploaded: false };
    if (type !== 'multipart/form-data') throw wrongType(type);
    try {
      return { request: await this.readForm(request), uploaded: true };
    } catch (error) {
      drain(request.raw);
      throw this.translate(error);
    }
  }

  private async readForm(http: FastifyRequest): Promise<RunRequest> {
    let request: RunRequest | undefined;
    const files: ArtifactRef[] = [];
    const limits = {
      fileSize: this.limits.fileBytes,
      files: this.limits.files,
      fieldSize: FIELD_BYTES,
      fields: 10,
      parts: this.limits.files + 10,
    };
    for await (const part of http.parts({ limits, throwFileSizeLimit: false } as never)) {
      if (part.type === 'file') {
        files.push(await this.store(part, files));
        continue;
      }
      const given = requestOf(part);
      if (request) throw new InputProblem('invalid-request', 'The form has more than one request or goal.', { remedy: 'send one of them' });
      // Checked at once: a request that is refused need not wait for its files.
      request = parseRunRequest(given);
    }
    if (!request)
      throw new InputProblem('invalid-request', 'The form has neither a field request nor a field goal.', { remedy: 'add one of them' });
    if (request.inputs.length > 0) {
      throw new InputProblem('invalid-request', 'The form names inputs in its request and brings files.', {
        remedy: 'leave inputs out of the request',
      });
    }
    return { ...request, inputs: files };
  }

  private async store(part: MultipartFile, before: ArtifactRef[]): Promise<ArtifactRef> {
    if (part.fieldname !== 'input') throw unknownField(part.fieldname);
    const { name, mediaType } = inputFile(part.filename);
    if (before.some((file) => file.name === name)) {
      throw new InputProblem('unprocessable', `Two files are named ${JSON.stringify(name)}.`, {
        remedy: 'give each file a name of its own',
      });
    }
    const chunks: Buffer[] = [];
    let taken = 0;
    try {
      for await (const chunk of part.file as AsyncIterable<Buffer>) {
        this.budget.take(chunk.length);
        taken += chunk.length;
        chunks.push(chunk);
      }
      if (part.file.truncated) throw this.tooLarge(name);
      if (taken === 0)
        throw new InputProblem('unprocessable', `The file ${JSON.stringify(name)} is empty.`, { remedy: 'give a file with content' });
      return { ...(await this.blobs.put(Buffer.concat(chunks), mediaType)), name };
    } finally {
      this.budget.give(taken);
    }
  }

  private tooLarge(name: string): InputProblem {
    return new InputProblem('body-too-large', `The file ${JSON.stringify(name)} is larger than ${this.limits.fileBytes} bytes.`, {
      remedy: 'give a smaller file, or raise UPLOAD_MAX_BYTES of the gateway (at most 64 MiB)',
    });
  }

  /** Errors of the form parser. */
  private translate(error: unknown): unknown {
    const code = (error as { code?: string }).code;
    if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') {
      return new InputProblem('body-too-large', `A request may bring ${this.limits.files} files.`, { remedy: 'give fewer files' });
    }
    if (code === 'FST_FIELDS_LIMIT') return new InputProblem('invalid-request', 'The form has too many fields.');
    if (code?.startsWith('FST_') || (error instanceof Error && PARSER_FAULT.test(error.message))) {
      return new InputProblem('invalid-request', `The form cannot be read: ${(error as Error).message}`, {
        remedy: 'send multipart/form-data with a boundary',
      });
    }
    return error;
  }
}

function requestOf(part: Exclude<Multipart, MultipartFile>): unknown {
  if (part.valueTruncated) {
    const limit = part.fieldname === 'goal' ? MAX_GOAL_BYTES : FIELD_BYTES;
    throw new InputProblem('body-too-large', `The field ${part.fieldname} is larger than ${limit} bytes.`, {
      remedy: 'put long material into an input file',
    });
  }
  if (part.fieldname === 'goal') return { goal: part.value };
  if (part.fieldname !== 'request') throw unknownField(part.fieldname);
  // A part that says that it is JSON is parsed already.
  if (typeof part.value !== 'string') return part.value;
  try {
    return JSON.parse(part.value) as unknown;
  } catch (cause) {
    throw new InputProblem('malformed-json', 'The field request is not valid JSON.', { remedy: 'send one JSON object in UTF-8', cause });
  }
}

function unknownField(name: string): InputProblem {
  return new InputProblem('invalid-request', `The form has an unknown field ${JSON.stringify(name.slice(0, 60))}.`, {
    errors: [{ path: name.slice(0, 60), message: 'unknown field' }],
    remedy: 'a form has the field request (JSON) or goal, and files in the field input',
  });
}

function wrongType(type: string | undefined): InputProblem {
  return new InputProblem('unsupported-media-type', `The content type is ${type ?? 'missing'}.`, {
    remedy: 'send application/json, or multipart/form-data when files come along',
  });
}

function drain(raw: IncomingMessage): void {
  raw.unpipe();
  if (raw.readableEnded || raw.destroyed) return;
  raw.resume();
  const giveUp = setTimeout(() => raw.destroy(), DRAIN_MS);
  giveUp.unref();
  raw.once('close', () => clearTimeout(giveUp));
}
