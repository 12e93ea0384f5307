/** What an endpoint answers to a client's Sec-WebSocket-Key (RFC 6455 4.2.2), for endpoints that write their 101 themselves. */
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}
