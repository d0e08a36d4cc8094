/** What every `Blobs` must do. Uses Jest's globals; call it in a spec. */
import { createHash, randomBytes } from 'node:crypto';
import type { Blobs } from '@cadre/engine';

export interface BlobsFixture {
  blobs: Blobs;
  /** Bytes kept in the store, about. */
  storedBytes(): Promise<number>;
  /** Changes a byte of what is stored under that name. */
  damage(sha256: string): Promise<void>;
  close(): Promise<void>;
}

export function blobsContract(name: string, make: () => Promise<BlobsFixture>): void {
  describe(`${name} keeps the contract of Blobs`, () => {
    let fixture: BlobsFixture;
    beforeAll(async () => {
      fixture = await make();
    });
    afterAll(() => fixture.close());

    test.each([0, 1, 1000, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 5_000_000, 20_000_000])('%i bytes come back', async (size) => {
      const bytes = randomBytes(size);
      const ref = await fixture.blobs.put(bytes, 'application/octet-stream');
      expect(ref).toEqual({ sha256: createHash('sha256').update(bytes).digest('hex'), size, mediaType: 'application/octet-stream' });
      const back = await fixture.blobs.get(ref);
      expect(Buffer.compare(back, bytes)).toBe(0);
    });

    test('the same bytes are stored once, also when put at the same time and under another media type', async () => {
      const bytes = randomBytes(400_000);
      const before = await fixture.storedBytes();
      const types = ['text/csv', 'text/csv', 'text/plain'];
      const refs = await Promise.all(types.map((type) => fixture.blobs.put(bytes, type)));
      refs.push(await fixture.blobs.put(bytes, 'text/plain'));
      expect(new Set(refs.map((ref) => ref.sha256)).size).toBe(1);
      expect(refs.map((ref) => ref.mediaType)).toEqual(['text/csv', 'text/csv', 'text/plain', 'text/plain']);
      const added = (await fixture.storedBytes()) - before;
      expect(added).toBeGreaterThanOrEqual(400_000);
      expect(added).toBeLessThan(500_000);
      expect(Buffer.compare(await fixture.blobs.get(refs[3]!), bytes)).toBe(0);
    });

    test('many small bodies at once', async () => {
      const bodies = Array.from({ length: 50 }, (_, i) => Buffer.from(`body ${i}`));
      const refs = await Promise.all(bodies.map((bytes) => fixture.blobs.put(bytes, 'text/plain')));
      const back = await Promise.all(refs.map((ref) => fixture.blobs.get(ref)));
      expect(back.map((bytes) => Buffer.from(bytes).toString())).toEqual(bodies.map(String));
    });

    test('a body that was never put is missing', async () => {
      const ref = { sha256: '0'.repeat(64), size: 1, mediaType: 'text/plain' };
      await expect(fixture.blobs.get(ref)).rejects.toMatchObject({ code: 'blob-missing', retriable: false });
      expect(await fixture.blobs.has(ref)).toBe(false);
      expect(await fixture.blobs.has(await fixture.blobs.put(Buffer.from('there'), 'text/plain'))).toBe(true);
    });

    test('a damaged body is recognised', async () => {
      const ref = await fixture.blobs.put(randomBytes(600_000), 'text/plain');
      await fixture.damage(ref.sha256);
      await expect(fixture.blobs.get(ref)).rejects.toMatchObject({ code: 'blob-corrupt', retriable: false });
    });

    test('a body over 64 MiB is refused before anything is stored', async () => {
      const before = await fixture.storedBytes();
      const put = fixture.blobs.put(new Uint8Array(64 * 1024 * 1024 + 1), 'text/plain');
      await expect(put).rejects.toMatchObject({ code: 'blob-too-large', retriable: false });
      expect(await fixture.storedBytes()).toBe(before);
    });
  });
}
