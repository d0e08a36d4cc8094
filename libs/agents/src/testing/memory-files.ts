/** The files of a workspace, in memory. */
import type { ArtifactRef } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import type { FileRecord } from '../ports.js';

export class MemoryFiles implements FileRecord {
  readonly files = new Map<string, string>();
  private readonly dirty = new Set<string>();

  constructor(private readonly blobs: Blobs) {}

  write(name: string, text: string): void {
    this.files.set(name, text);
    this.dirty.add(name);
  }

  async changed(): Promise<ArtifactRef[]> {
    const names = [...this.dirty];
    const refs = await Promise.all(names.map((name) => this.store(name)));
    for (const name of names) this.dirty.delete(name);
    return refs;
  }

  async restore(files: ArtifactRef[]): Promise<void> {
    for (const ref of files) this.files.set(ref.name, new TextDecoder().decode(await this.blobs.get(ref)));
  }

  artifacts(): Promise<ArtifactRef[]> {
    return Promise.all([...this.files.keys()].sort().map((name) => this.store(name)));
  }

  private async store(name: string): Promise<ArtifactRef> {
    return { ...(await this.blobs.put(new TextEncoder().encode(this.files.get(name)), 'text/plain')), name };
  }
}
