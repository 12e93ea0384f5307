/** PROXY protocol headers for tests: writes version 2, and reads both versions strictly (semantics 10). */

/** Every header of version 2 begins with this. */
export const PROXY_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Second half of the byte behind the signature. */
export const ProxyCommand = { LOCAL: 0, PROXY: 1 } as const;

/** Family and protocol. */
export const ProxyFamily = { UNSPEC: 0x00, TCP4: 0x11, UDP4: 0x12, TCP6: 0x21, UDP6: 0x22, UNIX: 0x31 } as const;

/** Types of what follows the addresses. */
export const ProxyTlv = { ALPN: 0x01, AUTHORITY: 0x02, CRC32C: 0x03, NOOP: 0x04, UNIQUE_ID: 0x05 } as const;

/** A type with its value. */
export function tlv(type: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(3);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** A header of version 2. @param payload addresses and TLVs */
export function proxyHeaderV2(
  payload: Buffer,
  { command = ProxyCommand.PROXY, family = ProxyFamily.TCP4 }: { command?: number; family?: number } = {},
): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(0x20 | command, 0);
  head.writeUInt8(family, 1);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([PROXY_SIGNATURE, head, payload]);
}

/** The addresses of TCP4 or TCP6. @param addresses IPv4 in dotted form, or 16 bytes */
export function proxyAddresses(
  source: string | Buffer,
  destination: string | Buffer,
  sourcePort: number,
  destinationPort: number,
): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  const bytesOf = (address: string | Buffer): Buffer =>
    typeof address === 'string' ? Buffer.from(address.split('.').map(Number)) : address;
  return Buffer.concat([bytesOf(source), bytesOf(destination), ports]);
}

/** A header as an endpoint reads it. */
export interface ReadProxyHeader {
  readonly version: 1 | 2;
  /** Version 1: TCP4, TCP6 or UNKNOWN. Version 2: TCP4, TCP6, or LOCAL. */
  readonly kind: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Values by type. */
  readonly tlvs: ReadonlyMap<number, Buffer>;
  /** Of the header. */
  readonly bytes: number;
}

/** Reads the header that a connection begins with. @throws Error where it is not whole or not well-formed */
export function readProxyHeader(received: Buffer): ReadProxyHeader {
  if (received.subarray(0, 12).equals(PROXY_SIGNATURE)) return readVersion2(received);
  return readVersion1(received);
}

const NOTHING = { source: '', sourcePort: 0, destination: '', destinationPort: 0 };

function readVersion1(received: Buffer): ReadProxyHeader {
  const end = received.subarray(0, 107).indexOf('\r\n');
  if (end < 0) throw new Error(`no PROXY header: ${JSON.stringify(received.toString('latin1', 0, 107))}`);
  const line = received.toString('latin1', 0, end);
  const common = { version: 1, tlvs: new Map<number, Buffer>(), bytes: end + 2 } as const;
  if (line === 'PROXY UNKNOWN') return { ...common, kind: 'UNKNOWN', ...NOTHING };
  const match = /^PROXY (TCP4|TCP6) ([0-9a-f.:]+) ([0-9a-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line);
  if (match === null) throw new Error(`no PROXY header: ${JSON.stringify(line)}`);
  const [, kind = '', source = '', destination = '', sourcePort, destinationPort] = match;
  return {
    ...common,
    kind,
    source,
    destination,
    sourcePort: Number(sourcePort),
    destinationPort: Number(destinationPort),
  };
}

function readVersion2(received: Buffer): ReadProxyHeader {
  const length = received.readUInt16BE(14);
  const bytes = 16 + length;
  if (received.length < bytes) throw new Error(`a header of ${bytes} bytes, of which ${received.length} have come`);
  const versionAndCommand = received.readUInt8(12);
  const family = received.readUInt8(13);
  if (versionAndCommand >> 4 !== 2) throw new Error(`version ${versionAndCommand >> 4}`);
  const addressBytes = family === ProxyFamily.TCP4 ? 4 : family === ProxyFamily.TCP6 ? 16 : 0;
  const addressesEnd = 16 + (addressBytes === 0 ? 0 : 2 * addressBytes + 4);
  const common = { version: 2, bytes, tlvs: readTlvs(received.subarray(addressesEnd, bytes)) } as const;
  if ((versionAndCommand & 15) === ProxyCommand.LOCAL || addressBytes === 0)
    return { ...common, kind: 'LOCAL', ...NOTHING };
  const address = (at: number): string => {
    const part = received.subarray(at, at + addressBytes);
    return addressBytes === 4 ? [...part].join('.') : part.toString('hex');
  };
  return {
    ...common,
    kind: addressBytes === 4 ? 'TCP4' : 'TCP6',
    source: address(16),
    destination: address(16 + addressBytes),
    sourcePort: received.readUInt16BE(addressesEnd - 4),
    destinationPort: received.readUInt16BE(addressesEnd - 2),
  };
}

function readTlvs(bytes: Buffer): Map<number, Buffer> {
  const tlvs = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) throw new Error('a TLV is longer than the header');
    tlvs.set(bytes.readUInt8(at), bytes.subarray(at + 3, end));
    at = end;
  }
  return tlvs;
}
