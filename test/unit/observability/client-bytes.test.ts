/** Bytes of clients, from running totals to counters. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { ClientBytes } from '../../../src/observability/client-bytes.js';

describe('client bytes', () => {
  it('are counted once, by how much the totals of each engine have grown', () => {
    const board = createBoard(
      {
        endpointSlots: 64,
        upstreams: 1,
        turns: 1,
        hashTables: 0,
        hashTableWords: 0,
        queueEntries: 0,
        queues: 1,
        routeBreakers: 0,
        routes: 1,
        workers: 1,
        listeners: 1,
        clientEntries: 16,
      },
      [1, 2],
    );
    const { stripe } = attachBoard(board.buffer, 0);
    const [one, two] = [new ClientBytes(stripe), new ClientBytes(stripe)];
    one.count({ bytesFromClients: 10, bytesToClients: 2 ** 40 });
    one.count({ bytesFromClients: 10, bytesToClients: 2 ** 40 });
    two.count({ bytesFromClients: 1, bytesToClients: 0 });
    one.count({ bytesFromClients: 15, bytesToClients: 2 ** 40 + 7 });
    expect(board.totals().traffic).toMatchObject({ bytesFromClients: 16, bytesToClients: 2 ** 40 + 7 });
  });
});
