/** A file that is read again when it changes. What cannot be read, or is refused, leaves everything as it was. */
import { readFile, stat } from 'node:fs/promises';

export interface WatchedFileOptions {
  path: string;
  /** Told of the text at each change. What it throws is told to `onFault`, and the next change is tried again. */
  onText(text: string): void;
  onFault(error: unknown): void;
  /** Default 2000. */
  everyMs?: number;
}

/** Looks at the time and size of the file, since watching by the system misses mounted volumes, which Kubernetes changes by a link. */
export class WatchedFile {
  private seen: string;
  /** The fault that was told last: a file that stays away is told of once. */
  private told = '';
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly options: WatchedFileOptions,
    seen: string,
  ) {
    this.seen = seen;
    this.timer = setInterval(() => void this.look(), options.everyMs ?? 2000);
    this.timer.unref();
  }

  /** Reads the file once before it resolves; rejects when that fails. */
  static async open(options: WatchedFileOptions): Promise<WatchedFile> {
    const stamp = await stampOf(options.path);
    options.onText(await readFile(options.path, 'utf8'));
    return new WatchedFile(options, stamp);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Looks at once whether the file has changed. */
  async look(): Promise<void> {
    const { path, onText, onFault } = this.options;
    try {
      const stamp = await stampOf(path);
      if (stamp === this.seen) return;
      this.seen = stamp;
      onText(await readFile(path, 'utf8'));
      this.told = '';
    } catch (error) {
      if (String(error) === this.told) return;
      this.told = String(error);
      onFault(error);
    }
  }
}

async function stampOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs} ${size} ${ino}`;
}
