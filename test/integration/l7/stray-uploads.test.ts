/** Bytes of an upload that nobody waits for any more: they belong to no other request. */
import { describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { MessageReader, statusOf } from '../../harness/http-message.js';
import { statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { WireClient } from '../../harness/wire-client.js';

describe('the rest of an upload that is over', () => {
  it.each(FRONT_ENDS)('never reaches the exchange after one that was refused: %s', async (frontend) => {
    const endpoint = await startRequestEndpoint((request) => ok(request.body.toString()));
    const single = await startProxy(
      configFor([endpoint.port], { frontend, workers: 1, route: { match: { path: '/only/' } } }),
    );
    try {
      const refused = await WireClient.open(single.port);
      const next = await WireClient.open(single.port);
      refused.send('POST /none HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\nfirst part');
      expect(statusOf(await refused.response())).toBe(404);
      next.send('POST /only/me HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabcde');
      await until('the second upload is under way', async () => (await statusFacts(single)).totals.openExchanges === 1);
      refused.send('STRAY');
      await new Promise((resolve) => setTimeout(resolve, 50));
      next.send('fghij');
      expect((await next.response()).body.toString()).toBe('abcdefghij');
      refused.close();
      next.close();
    } finally {
      await single.stop();
      await endpoint.close();
    }
  });

  it.each(['uws'])(
    'never reaches the exchange after one whose answer, in chunks, did not wait for it: %s',
    async (frontend) => {
      const early = await startEndpoint((socket) => {
        const reader = new MessageReader();
        socket.on('data', (chunk: Buffer) => {
          if (chunk.includes('POST /early')) {
            socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
            return void setTimeout(() => socket.write('0\r\n\r\n'), 30);
          }
          reader.push(chunk);
          const whole = reader.next();
          if (whole !== undefined) socket.write(ok(whole.body.toString()));
        });
      });
      const single = await startProxy(configFor([early.port], { workers: 1, listener: { frontend } }));
      try {
        const first = await WireClient.open(single.port);
        const next = await WireClient.open(single.port);
        first.send('POST /early HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\nfirst part');
        expect((await first.response()).body.toString()).toBe('hi');
        await untilIdle(single);
        next.send('POST /next HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabcde');
        await until(
          'the second upload is under way',
          async () => (await statusFacts(single)).totals.openExchanges === 1,
        );
        first.send('STRAY');
        await new Promise((resolve) => setTimeout(resolve, 50));
        next.send('fghij');
        expect((await next.response()).body.toString()).toBe('abcdefghij');
        first.close();
        next.close();
      } finally {
        await single.stop();
        await early.close();
      }
    },
  );
});
