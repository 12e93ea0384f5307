/** Fields that TypeScript adds to the responses of the front end, as clients get them. */
import { describe, expect, it } from 'vitest';
import { Decision, FrontEndEventType } from '../../../src/engine/front-end-event.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { valuesOf } from '../../harness/http-message.js';
import { startRequestEndpoint } from '../../harness/request-endpoint.js';
import { WireClient } from '../../harness/wire-client.js';
import { startFrontEnd } from './recording-front-end.js';

const started = endAfterEach();
const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

describe('a field added to a response', () => {
  it('comes with the endpoint\u2019s answer, and with no other one of the connection', async () => {
    const endpoint = await started(startRequestEndpoint());
    const recording = startFrontEnd(endpoint.port);
    await started(recording);
    recording.decide = ({ number }) => {
      if (recording.ofType(FrontEndEventType.REQUEST).length === 1) {
        recording.frontEnd.addResponseField(number, 'set-cookie', 'first=1');
        recording.frontEnd.addResponseField(number, 'Set-Cookie', 'sid=2; Path=/');
        recording.frontEnd.addResponseField(number, 'x-gone', 'x');
        recording.frontEnd.addResponseField(number, 'x-gone', null);
      }
      return 0;
    };
    const client = await started(WireClient.open(recording.port));
    client.send(GET + GET);
    const first = await client.response();
    expect([valuesOf(first, 'set-cookie'), valuesOf(first, 'x-gone')]).toEqual([['sid=2; Path=/'], []]);
    expect(valuesOf(await client.response(), 'set-cookie')).toEqual([]);
  });

  it('stays while the decision is put off, and comes with the proxy\u2019s own answer', async () => {
    const recording = startFrontEnd();
    await started(recording);
    recording.decide = ({ number }) => {
      recording.frontEnd.addResponseField(number, 'x-explain', 'no one');
      return Decision.LATER;
    };
    const client = await started(WireClient.open(recording.port));
    client.send(GET);
    const { number } = await recording.untilType(FrontEndEventType.REQUEST);
    await new Promise((resolve) => setImmediate(resolve));
    recording.frontEnd.answer(number, '503 Service Unavailable', 'none', false);
    expect(valuesOf(await client.response(), 'x-explain')).toEqual(['no one']);
  });
});
