// Frames of HTTP/2 (RFC 9113, section 4), written out so that they can be wrong.

export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 1;
export const endHeaders = 4;

export interface FrameHead {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  /** What it says of its length, if that is not true. */
  readonly claims?: number;
}

export function frame(head: FrameHead, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(head.claims ?? payload.length, 0, 3);
  bytes[3] = head.type;
  bytes[4] = head.flags ?? 0;
  bytes.writeUInt32BE(head.stream ?? 0, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** A settings frame with one setting. */
export function setting(identifier: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(identifier);
  payload.writeUInt32BE(value, 2);
  return frame({ type: frameTypes.settings }, payload);
}

export function windowUpdate(stream: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame({ type: frameTypes.windowUpdate, stream }, payload);
}

/** A header that is not put into the table (RFC 7541, section 6.2.2). */
export function literalHeader(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), hpackText(name), hpackText(value)]);
}

/** A header that is put into the table, where one byte then stands for it (section 6.2.1). */
export function indexedHeader(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40), hpackText(name), hpackText(value)]);
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackLength(bytes.length), bytes]);
}

/** An integer with a prefix of seven bits (section 5.1). */
function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let left = length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

/** The head of a gRPC call. */
export function grpcHead(path: string, extra: Uint8Array = new Uint8Array(0)): Buffer {
  const headers = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
  ] as const;
  const block = headers.map(([name, value]) => literalHeader(name, value));
  return Buffer.concat([...block, extra]);
}

/** A gRPC message: a flag, a length, which may be a lie, and bytes. */
export function grpcMessage(bytes: Uint8Array, claims: number = bytes.length, flag = 0): Buffer {
  const message = Buffer.alloc(5 + bytes.length);
  message[0] = flag;
  message.writeUInt32BE(claims, 1);
  message.set(bytes, 5);
  return message;
}
