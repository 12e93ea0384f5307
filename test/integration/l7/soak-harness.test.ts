/** The soak's own eyes: what they call a fault, and what they do not. */
import { describe, expect, it } from 'vitest';
import { seededRng } from '../../../src/core/rng.js';
import { MessageStream } from '../../harness/message-stream.js';
import { bodyPiece } from '../../harness/seeded-body.js';
import { type ExchangeEnding, SoakExchange } from '../../harness/soak-exchange.js';
import { SoakLedger } from '../../harness/soak-ledger.js';
import { ID_FIELD, randomScript, type SoakMix, type SoakScript } from '../../harness/soak-script.js';

const MIX: SoakMix = { isFull: true, hasClientStalls: true, maxBodyBytes: 100_000 };

const SCRIPT: SoakScript = {
  id: 'a',
  seed: 1234,
  method: 'GET',
  version: '1.1',
  isUpgrade: false,
  upload: 'none',
  uploadBytes: 0,
  answer: 'chunked',
  answerBytes: 100,
  endpoint: 'whole',
  endpointBreakBytes: 40,
  client: 'whole',
  clientBreakPermille: 500,
  isClientSlow: false,
  isEndpointSlow: false,
  expectsContinue: false,
  takesTrailers: false,
  hasInterim: false,
};

const body = (to = 100, seed = SCRIPT.seed): string => bodyPiece(seed, 0, to).toString('latin1');
const answer = (bytes: string, id = 'a', last = '0\r\n\r\n'): string =>
  `HTTP/1.1 200 OK\r\n${ID_FIELD}: ${id}\r\nTransfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n${bytes}\r\n${last}`;
const ownAnswer = (code: string): string => {
  const json = `{"error":"${code}"}`;
  return `HTTP/1.1 502 Bad Gateway\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
};

/** What is a fault of an exchange that gets these bytes and then ends so. */
function faultsOf(bytes: string, ending: ExchangeEnding, changes: Partial<SoakScript> = {}): readonly string[] {
  const ledger = new SoakLedger();
  const exchange = new SoakExchange({ ...SCRIPT, ...changes }, MIX, ledger, false);
  const stream = new MessageStream({
    head: (head) => exchange.takeHead(head),
    body: (piece) => exchange.takeBody(piece),
    end: (trailers) => exchange.takeEnd(trailers),
  });
  for (const byte of Buffer.from(bytes, 'latin1')) stream.push(Buffer.of(byte));
  exchange.end(ending);
  return ledger.faults.map((line) => line.slice(line.indexOf('client: ') + 8, line.indexOf(' (')));
}

describe('a client of a soak', () => {
  it.each<[string, string, ExchangeEnding, Partial<SoakScript>]>([
    ['the whole answer', answer(body()), 'whole', {}],
    ['the beginning of an answer that its endpoint cut', answer(body(40), 'a', ''), 'cut', { endpoint: 'cut' }],
    [
      'an error where the endpoint reset the connection',
      ownAnswer('SLUICE_ENDPOINT_RESET'),
      'whole',
      { endpoint: 'reset-early' },
    ],
    ['nothing, having left', '', 'left', { client: 'leave-answer' }],
  ])('is content with %s', (_, bytes, ending, changes) => {
    expect(faultsOf(bytes, ending, changes)).toEqual([]);
  });

  it.each<[string, string, ExchangeEnding, Partial<SoakScript>, string]>([
    ['a wrong byte', answer(`${body(99)}\0`), 'whole', {}, 'wrong bytes in 99 to 100'],
    ['the answer of another', answer(body(), 'b'), 'whole', {}, 'the answer of b'],
    ['the body of another', answer(body(100, 77)), 'whole', {}, 'wrong bytes in 0 to 1'],
    ['a part as the whole', answer(body(40)), 'whole', {}, 'complete after 40 of 100 bytes'],
    [
      'a part that the endpoint cut as the whole',
      answer(body(40)),
      'whole',
      { endpoint: 'cut' },
      'complete after 40 of 100 bytes',
    ],
    ['more than was sent', answer(`${body()}!`), 'whole', {}, 'more bytes than were sent'],
    [
      'a trailer that it did not ask for',
      answer(body(), 'a', `0\r\n${ID_FIELD}: a\r\n\r\n`),
      'whole',
      {},
      '1 trailers',
    ],
    ['an end before the answer', '', 'cut', {}, 'ended cut after 0 bytes'],
    ['an error for nothing', ownAnswer('SLUICE_NO_ENDPOINT'), 'whole', {}, 'ended SLUICE_NO_ENDPOINT after 30 bytes'],
    ['no end at all', answer(body(40), 'a', ''), 'hung', { endpoint: 'cut' }, 'ended hung after 40 bytes'],
  ])('finds fault with %s', (_, bytes, ending, changes, fault) => {
    expect(faultsOf(bytes, ending, changes)).toEqual([fault]);
  });
});

describe('the ledger of a soak', () => {
  it('finds fault with a POST that comes twice, and with the end of a request that was broken off', () => {
    const ledger = new SoakLedger();
    ledger.noteWhole({ ...SCRIPT, method: 'PUT' });
    ledger.noteWhole({ ...SCRIPT, method: 'PUT' });
    expect(ledger.faultCount).toBe(0);
    ledger.noteWhole({ ...SCRIPT, id: 'b', method: 'POST' });
    ledger.noteWhole({ ...SCRIPT, id: 'b', method: 'POST' });
    expect(ledger.faultCount).toBe(1);
    ledger.noteWhole({ ...SCRIPT, id: 'c', client: 'leave-request' });
    expect(ledger.faultCount).toBe(2);
  });
});

describe('random scripts', () => {
  it('have every way of both sides, and are the same for the same seed', () => {
    const scripts = (seed: number): SoakScript[] => {
      const rng = seededRng(seed);
      return Array.from({ length: 5_000 }, (_, index) => randomScript(String(index), rng, MIX));
    };
    const some = scripts(1);
    expect(scripts(1)).toEqual(some);
    expect(new Set(some.map(({ endpoint }) => endpoint)).size).toBe(10);
    expect(new Set(some.map(({ client }) => client)).size).toBe(8);
    expect(Math.max(...some.map(({ answerBytes }) => answerBytes))).toBeGreaterThan(90_000);
  });
});
