/** GET /api/v1/live on the wire: what comes when, to whom who lags, and how it ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventReader } from '../../../src/cli/terminal/event-reader.js';
import type { AdminApi } from '../../../src/control/admin/admin-api.js';
import { entryOf, QUIET_FIGURES, SourceDouble, startTestApi, UNCHANGED } from '../../harness/admin-source.js';
import { until } from './sluice-process.js';

let source: SourceDouble;
let api: AdminApi;
const sockets: Socket[] = [];

beforeEach(async () => {
  source = new SourceDouble();
  api = await startTestApi(source);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  api.close();
});

/** A reader of the stream, over a bare socket, so that it can stop reading. */
class Reader {
  readonly socket: Socket;
  text = '';
  isOver = false;

  constructor(path = '/api/v1/live', headers: readonly string[] = []) {
    this.socket = connect(api.port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString();
    });
    this.socket.on('error', () => {});
    this.socket.once('close', () => {
      this.isOver = true;
    });
    this.socket.write([`GET ${path} HTTP/1.0`, 'Host: localhost', ...headers, '', ''].join('\r\n'));
  }

  /** Events so far as `name id-or-epoch`. */
  events(): string[] {
    const body = this.text.slice(this.text.indexOf('\r\n\r\n') + 4);
    return new EventReader().push(body).map(({ name, data }) => {
      const { id, epoch } = JSON.parse(data) as { id?: number; epoch?: number };
      return `${name} ${id ?? epoch}`;
    });
  }

  has(...events: string[]): Promise<unknown> {
    return until(`${events} in ${this.events()}`, () =>
      events.every((event) => this.events().includes(event)) ? true : undefined,
    );
  }

  get lastId(): string {
    return (
      this.text
        .match(/^id: (.*)$/gm)
        ?.at(-1)
        ?.slice('id: '.length) ?? ''
    );
  }
}

describe('GET /api/v1/live', () => {
  it('begins with what happened before, and the figures of now', async () => {
    source.happen(entryOf(1));
    const reader = new Reader();
    await reader.has('figures 1');
    expect(reader.text).toMatch(/^HTTP\/1.1 200 /);
    expect(reader.text).toContain('content-type: text/event-stream; charset=utf-8\r\n');
    expect(reader.events()).toEqual(['happened 1', 'figures 1']);
  });

  it.each(['Origin: http://evil.test', 'Sec-Fetch-Site: cross-site'])(
    'is not for a page of a stranger, which could keep all streams: %s',
    async (field) => {
      const reader = new Reader('/api/v1/live', [field]);
      await until('an answer', () => (reader.isOver ? true : undefined));
      expect(reader.text).toMatch(/^HTTP\/1.1 403 [\s\S]*origin-not-allowed/);
    },
  );

  it('tells figures, what happens, and reloads', async () => {
    const reader = new Reader();
    await reader.has('figures 1');
    source.figures.tell({ ...QUIET_FIGURES, epoch: 2 });
    source.happen(entryOf(1));
    source.reloads.tell({ ...UNCHANGED, epoch: 3 });
    await reader.has('figures 2', 'happened 1', 'reloaded 3');
  });

  it('goes on behind the last entry that the reader has', async () => {
    for (const id of [1, 2, 3]) source.happen(entryOf(id));
    const before = new Reader();
    await before.has('figures 1');
    source.happen(entryOf(4));
    const after = new Reader('/api/v1/live', [`Last-Event-ID: ${before.lastId.replace(/\d+$/, '2')}`]);
    await after.has('figures 1');
    expect(after.events()).toEqual(['happened 3', 'happened 4', 'figures 1']);
  });

  it('begins anew for who had entries of another process', async () => {
    for (const id of [1, 2]) source.happen(entryOf(id));
    const reader = new Reader('/api/v1/live', ['Last-Event-ID: 1-abc-2']);
    await reader.has('figures 1');
    expect(reader.events()).toEqual(['happened 1', 'happened 2', 'figures 1']);
  });

  it('tells figures alone to who wants them only', async () => {
    source.happen(entryOf(1));
    const reader = new Reader('/api/v1/live?only=figures');
    await reader.has('figures 1');
    source.happen(entryOf(2));
    source.reloads.tell({ ...UNCHANGED, epoch: 3 });
    source.figures.tell({ ...QUIET_FIGURES, epoch: 4 });
    await reader.has('figures 4');
    expect(reader.events()).toEqual(['figures 1', 'figures 4']);
  });

  it('keeps nothing for a reader that lags, who gets every entry when it reads on, but not every second', async () => {
    const reader = new Reader();
    await reader.has('figures 1');
    reader.socket.pause();
    const long = 'x'.repeat(100_000);
    for (let id = 1; id <= 200; id++) {
      source.happen(entryOf(id, long));
      source.figures.tell({ ...QUIET_FIGURES, epoch: 1_000 + id, version: long });
      await new Promise(setImmediate);
    }
    reader.socket.resume();
    await reader.has('happened 200');
    const told = reader.events();
    expect(told.filter((event) => event.startsWith('happened'))).toEqual(
      Array.from({ length: 200 }, (_, index) => `happened ${index + 1}`),
    );
    expect(told.filter((event) => event.startsWith('figures')).length).toBeLessThan(200);
  });

  it('has room for 16 readers, and again when one leaves', async () => {
    const readers = Array.from({ length: 16 }, () => new Reader());
    await Promise.all(readers.map((reader) => reader.has('figures 1')));
    const refused = await fetch(`http://127.0.0.1:${api.port}/api/v1/live`);
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([
      503,
      '5',
      { error: 'too-many-streams' },
    ]);
    readers[0]?.socket.destroy();
    await until('a place', async () => {
      const answer = await fetch(`http://127.0.0.1:${api.port}/api/v1/live`, { method: 'HEAD' });
      return answer.status === 200 ? true : undefined;
    });
  });

  it('listens to nothing while nobody reads', async () => {
    const reader = new Reader();
    await reader.has('figures 1');
    expect(source.figures.listeners.size).toBe(1);
    reader.socket.destroy();
    await until('rest', () =>
      source.figures.listeners.size + source.happened.listeners.size === 0 ? true : undefined,
    );
  });

  it('ends when a reload takes the token away that it came with, and not for another reload', async () => {
    let token = 'the-first-of-two-tokens';
    api.close();
    api = await startTestApi(source, { access: () => ({ token, hosts: [] }) });
    const reader = new Reader('/api/v1/live', [`Authorization: Bearer ${token}`]);
    await reader.has('figures 1');
    source.reloads.tell({ ...UNCHANGED, epoch: 2 });
    await reader.has('reloaded 2');
    token = 'the-second-of-two-tokens';
    source.reloads.tell({ ...UNCHANGED, epoch: 3 });
    await until('its end', () => (reader.isOver ? true : undefined));
    expect(reader.events()).toEqual(['figures 1', 'reloaded 2']);
  });

  it('ends when the API closes', async () => {
    const reader = new Reader();
    await reader.has('figures 1');
    const closed = once(reader.socket, 'close');
    api.close();
    await closed;
    expect(reader.isOver).toBe(true);
  });
});
