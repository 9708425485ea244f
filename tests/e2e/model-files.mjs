// Small model files for the tests of /models, written field by field: ONNX as the Protocol Buffers encoding prescribes,
// archives as `python3 -m zipfile --create` does without compression, and a BlazePose model cut out of its package.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';

const ROOT = path.join(import.meta.dirname, '../..');

/** FLOAT in TensorProto.DataType. */
const F32 = 1;

function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field: an integer, or bytes, a text or fields with their length. */
function field(number, value) {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(number << 3), varint(value)]);
  }
  const bytes = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/** An input or output of f32; a size that is a text is open under that name. */
function port(name, shape) {
  const sizes = shape.map((size) => field(1, [typeof size === 'string' ? field(2, size) : field(1, size)]));
  const tensor = [field(1, F32), field(2, sizes)];
  return [field(1, name), field(2, [field(1, tensor)])];
}

/**
 * An ONNX file.
 * @param {{inputs: Record<string, (number | string)[]>, outputs: Record<string, (number | string)[]>,
 *   nodes: {operator: string, inputs: string[], outputs: string[], name?: string}[], opset?: number}} model
 */
export function onnx({ inputs, outputs, nodes, opset = 17 }) {
  const node = ({ operator, inputs, outputs, name = '' }) => [
    ...inputs.map((input) => field(1, input)),
    ...outputs.map((output) => field(2, output)),
    field(3, name),
    field(4, operator),
  ];
  const graph = [
    ...nodes.map((one) => field(1, node(one))),
    field(2, 'graph'),
    ...Object.entries(inputs).map(([name, shape]) => field(11, port(name, shape))),
    ...Object.entries(outputs).map(([name, shape]) => field(12, port(name, shape))),
  ];
  return Buffer.concat([field(1, 9), field(7, graph), field(8, [field(1, ''), field(2, opset)])]);
}

/**
 * An archive of files that are stored as they are, or compressed; `claim` says how long they become, where it is not so.
 * Checksums are left out: nobody looks at them.
 */
export function archive(files, { compress = false, claim } = {}) {
  const [bodies, list] = [[], []];
  let offset = 0;
  for (const [name, whole] of Object.entries(files)) {
    const contents = compress ? deflateRawSync(whole) : whole;
    const common = Buffer.alloc(24);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(compress ? 8 : 0, 4);
    common.writeUInt32LE(contents.length, 14);
    common.writeUInt32LE(claim ?? whole.length, 18);
    common.writeUInt16LE(name.length, 22);
    const body = [Buffer.from('PK\x03\x04'), common, Buffer.alloc(2), Buffer.from(name), contents];
    const tail = Buffer.alloc(16);
    tail.writeUInt32LE(offset, 12);
    list.push(Buffer.from('PK\x01\x02\x14\x00'), common, tail, Buffer.from(name));
    bodies.push(...body);
    offset += Buffer.concat(body).length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(Buffer.concat(list).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...list, end]);
}

/** A picture of one colour as a BMP file, `[red, green, blue]`. */
export function picture(width, height, [red, green, blue]) {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write('BM');
  for (const [value, at] of [[bytes.length, 2], [54, 10], [40, 14], [width, 18], [height, 22]]) bytes.writeUInt32LE(value, at);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) bytes.set([blue, green, red], 54 + y * row + 3 * x);
  }
  return bytes;
}

/** A BlazePose model as it was published, by its place in models/manifest.toml; its hash is compared. */
export async function published(name) {
  const manifest = await readFile(path.join(ROOT, 'models/manifest.toml'), 'utf8');
  const [section] = manifest.split('[[model]]').filter((part) => part.includes(`name = "${name}"`));
  const said = (key) => section.match(new RegExp(`^${key} = "?([^"\n]*)"?$`, 'mu'))?.[1];
  const whole = await readFile(path.join(ROOT, 'models/node_modules', said('package'), said('file')));
  const [start, end] = JSON.parse(said('byte_range') ?? `[0, ${whole.length}]`);
  const bytes = whole.subarray(start, end);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== said('sha256')) throw new Error(`models/node_modules holds another ${name} than the manifest names`);
  return { bytes, sha256 };
}
