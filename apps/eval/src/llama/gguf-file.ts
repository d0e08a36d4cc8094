/** Writes models in the GGUF format, version 3: metadata, then tensors of 32-bit floats. */

export type GgufValue =
  | { kind: 'text'; value: string }
  | { kind: 'uint32'; value: number }
  | { kind: 'float32'; value: number }
  | { kind: 'flag'; value: boolean }
  | { kind: 'texts'; value: readonly string[] }
  | { kind: 'int32s'; value: readonly number[] };

export interface Tensor {
  name: string;
  /** The length of a row comes first. */
  dims: readonly number[];
  data: Float32Array;
}

const ALIGNMENT = 32;
/** Numbers of the format's value types. */
const TYPE = { uint32: 4, int32: 5, float32: 6, flag: 7, text: 8, array: 9 } as const;

export function ggufFile(metadata: Readonly<Record<string, GgufValue>>, tensors: readonly Tensor[]): Buffer {
  const head: Buffer[] = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(Object.keys(metadata).length)];
  for (const [key, value] of Object.entries(metadata)) head.push(text(key), valueOf(value));
  let offset = 0;
  for (const { name, dims, data } of tensors) {
    head.push(text(name), uint32(dims.length), ...dims.map(uint64), uint32(0), uint64(offset));
    offset += data.byteLength + gap(data.byteLength);
  }
  const bytes = Buffer.concat(head);
  const body = tensors.flatMap(({ data }) => [
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    Buffer.alloc(gap(data.byteLength)),
  ]);
  return Buffer.concat([bytes, Buffer.alloc(gap(bytes.length)), ...body]);
}

const gap = (length: number): number => (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;

function valueOf(given: GgufValue): Buffer {
  switch (given.kind) {
    case 'text':
      return Buffer.concat([uint32(TYPE.text), text(given.value)]);
    case 'uint32':
      return Buffer.concat([uint32(TYPE.uint32), uint32(given.value)]);
    case 'float32':
      return Buffer.concat([uint32(TYPE.float32), float32(given.value)]);
    case 'flag':
      return Buffer.concat([uint32(TYPE.flag), Buffer.from([given.value ? 1 : 0])]);
    case 'texts':
      return Buffer.concat([uint32(TYPE.array), uint32(TYPE.text), uint64(given.value.length), ...given.value.map(text)]);
    case 'int32s':
      return Buffer.concat([uint32(TYPE.array), uint32(TYPE.int32), uint64(given.value.length), ...given.value.map(int32)]);
  }
}

function sized(bytes: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
}

const uint32 = (value: number): Buffer => sized(4, (buffer) => buffer.writeUInt32LE(value));
const int32 = (value: number): Buffer => sized(4, (buffer) => buffer.writeInt32LE(value));
const float32 = (value: number): Buffer => sized(4, (buffer) => buffer.writeFloatLE(value));
const uint64 = (value: number): Buffer => sized(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}
