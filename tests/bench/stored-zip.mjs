// Writes a zip file whose entries are stored and not compressed (PKWARE APPNOTE 6.3.10): the form of MediaPipe's task
// bundles, which are read in place. Contents start at multiples of 16 bytes, as model readers like them.

const ALIGNMENT = 16;
const VERSION = 20;
/** 1980-01-01, so that the same contents give the same bytes. */
const DATE = 0x21;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in zip (ISO-HDLC). @param {Uint8Array} bytes */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** @param {[string, Buffer][]} entries names and contents @returns {Buffer} */
export function storedZip(entries) {
  const chunks = [];
  const directory = [];
  let offset = 0;
  for (const [name, contents] of entries) {
    const nameBytes = Buffer.from(name);
    const start = offset + 30 + nameBytes.length;
    // Padding lies in an extra field, which has a header of four bytes itself.
    const padding = ((ALIGNMENT - ((start + 4) % ALIGNMENT)) % ALIGNMENT) + 4;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(contents), 10);
    common.writeUInt32LE(contents.length, 14);
    common.writeUInt32LE(contents.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const extra = Buffer.alloc(padding);
    // An identifier that nobody reads; the size follows.
    extra.writeUInt16LE(0xd935, 0);
    extra.writeUInt16LE(padding - 4, 2);
    const local = Buffer.from(common);
    local.writeUInt16LE(padding, 24);
    chunks.push(Buffer.from('PK\x03\x04', 'latin1'), local, nameBytes, extra, contents);

    const central = Buffer.alloc(14);
    central.writeUInt32LE(offset, 10);
    const made = Buffer.alloc(2);
    made.writeUInt16LE(VERSION, 0);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), made, common, central, nameBytes);
    offset += 30 + nameBytes.length + padding + contents.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...chunks, listing, end]);
}
