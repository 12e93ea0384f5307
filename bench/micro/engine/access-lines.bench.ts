/** What a line of the access log costs a worker: the facts of an exchange, and the call that writes the line, with texts of a usual request. */
import { bench, describe } from 'vitest';
import { ACCESS_FIELDS } from '../../../src/config/observing-plan.js';
import { ACCESS_FACTS, AccessFact } from '../../../src/engine/access-lines.js';
import { loadEngine } from '../../../src/engine/load-engine.js';

/** Lines timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
const BUFFER_BYTES = 1024 * 1024;

const TEXTS = {
  client: '203.0.113.7',
  method: 'GET',
  target: '/api/v1/orders/18273?expand=items&page=2',
  protocol: 'HTTP/1.1',
  host: 'shop.example.org',
  requestId: '5c280ebf7713bd9e1e4bcdda00000000',
  referer: 'https://shop.example.org/orders',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
} as const;

/** Writes BATCH lines into one buffer over and over. */
function writerOf(fields: readonly number[]): () => void {
  const { AccessLines } = loadEngine();
  const facts = new Float64Array(ACCESS_FACTS);
  const texts = Buffer.alloc(4_096);
  const buffers: [Uint8Array, Uint8Array] = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)];
  const lines = new AccessLines({ fields, facts, texts, buffers, targetBytes: 16_384, textBytes: 4_096 });
  let end = 0;
  for (const [name, text] of Object.entries(TEXTS)) {
    facts[AccessFact[name as keyof typeof TEXTS]] = texts.write(text, end);
    end += text.length;
  }
  const names = ['web', '*/api', 'app', '10.0.0.1:8080'].map((name) => lines.openText(name));
  return () => {
    let offset = 0;
    for (let line = 0; line < BATCH; line++) {
      facts[AccessFact.offset] = offset;
      facts[AccessFact.listener] = names[0] as number;
      facts[AccessFact.route] = names[1] as number;
      facts[AccessFact.upstream] = names[2] as number;
      facts[AccessFact.endpoint] = names[3] as number;
      facts[AccessFact.code] = -1;
      facts[AccessFact.status] = 200;
      facts[AccessFact.attempts] = 1;
      facts[AccessFact.bytesFromClient] = 312;
      facts[AccessFact.bytesToClient] = 1_200 + line;
      facts[AccessFact.totalUs] = 812 + line;
      facts[AccessFact.queueUs] = 0;
      facts[AccessFact.connectUs] = 0;
      facts[AccessFact.firstByteUs] = 640 + line;
      facts[AccessFact.isReused] = 1;
      offset = lines.write();
    }
  };
}

// budget: 500 ns: AccessLines.write > *
describe('AccessLines.write', () => {
  bench('1000 combined lines', writerOf([]));
  bench('1000 lines of JSON with all fields', writerOf(ACCESS_FIELDS.map((_, place) => place)));
});
