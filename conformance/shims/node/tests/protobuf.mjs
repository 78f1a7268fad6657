//! Just enough protobuf for the tests' tiny server: fields by number, no schema. Never used by the shim.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** `[[number, value], …]`: bigint or number → varint, string or Buffer → bytes, array → a message of its own. */
export function encode(fields) {
  const parts = [];
  for (const [number, value] of fields) {
    if (typeof value === 'number' || typeof value === 'bigint') {
      parts.push(varint((BigInt(number) << 3n) | BigInt(VARINT)), varint(BigInt(value)));
    } else {
      const bytes = Array.isArray(value) ? encode(value) : Buffer.from(value);
      parts.push(varint((BigInt(number) << 3n) | BigInt(BYTES)), varint(BigInt(bytes.length)), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** The fields of a message: number → values in order, each a bigint or a Buffer. */
export class Fields {
  #byNumber = new Map();

  constructor(bytes) {
    for (let at = 0; at < bytes.length;) {
      const [key, afterKey] = readVarint(bytes, at);
      const number = Number(key >> 3n);
      const wire = Number(key & 7n);
      let value;
      if (wire === VARINT) [value, at] = readVarint(bytes, afterKey);
      else if (wire === FIXED64) [value, at] = [bytes.subarray(afterKey, afterKey + 8), afterKey + 8];
      else if (wire === BYTES) {
        const [length, start] = readVarint(bytes, afterKey);
        at = start + Number(length);
        value = bytes.subarray(start, at);
      } else throw new Error(`wire type ${wire} at byte ${at}`);
      this.#byNumber.set(number, [...this.all(number), value]);
    }
  }

  all(number) {
    return this.#byNumber.get(number) ?? [];
  }

  has(number) {
    return this.#byNumber.has(number);
  }

  number(number) {
    return Number(this.all(number).at(-1) ?? 0n);
  }

  bytes(number) {
    return this.all(number).at(-1) ?? Buffer.alloc(0);
  }

  text(number) {
    return this.bytes(number).toString();
  }

  message(number) {
    return new Fields(this.bytes(number));
  }
}

function varint(value) {
  const bytes = [];
  let left = BigInt.asUintN(64, value);
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

function readVarint(bytes, from) {
  let value = 0n;
  let shift = 0n;
  for (let at = from; at < bytes.length; at += 1, shift += 7n) {
    value |= BigInt(bytes[at] & 127) << shift;
    if (bytes[at] < 128) return [value, at + 1];
  }
  throw new Error(`a varint without end at byte ${from}`);
}
