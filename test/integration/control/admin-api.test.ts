/** The HTTP shell of the admin API. */
import { Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminApi } from '../../../src/control/admin/admin-api.js';
import { StartFailure } from '../../../src/control/start-failure.js';
import { SourceDouble, startTestApi } from '../../harness/admin-source.js';

const open: AdminApi[] = [];

afterEach(() => {
  for (const api of open.splice(0)) api.close();
});

const source = new SourceDouble();

async function start(): Promise<string> {
  const api = await startTestApi(source);
  open.push(api);
  return `http://127.0.0.1:${api.port}`;
}

async function failureOf(starting: Promise<AdminApi>): Promise<StartFailure> {
  const error: unknown = await starting.then(
    (api) => api.close(),
    (reason: unknown) => reason,
  );
  if (error instanceof StartFailure) return error;
  throw new Error('it did not fail as it should');
}

describe('admin API', () => {
  it('answers JSON that is never cached', async () => {
    const response = await fetch(`${await start()}/healthz`);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ status: 'alive' });
  });

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${await start()}/readyz`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('refuses other methods and names those it takes', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${await start()}/api/v1/upstreams`, { method: 'PUT', body: '{}', headers });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('answers 404 in JSON', async () => {
    const response = await fetch(`${await start()}/nothing`);
    expect([response.status, await response.json()]).toEqual([404, expect.objectContaining({ error: 'not-found' })]);
  });

  it('lives on when connections cannot be accepted', async () => {
    const url = await start();
    const shortage = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' });
    const { port } = new URL(url);
    const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
    const listener = handles.find((handle) => {
      if (!(handle instanceof Server)) return false;
      const address = handle.address();
      return typeof address === 'object' && address?.port === Number(port);
    }) as Server;
    // As node:net tells of each accept() that fails.
    for (let times = 0; times < 2; times++) listener.emit('error', shortage);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('says that its port is taken', async () => {
    const port = Number(new URL(await start()).port);
    const failure = await failureOf(startTestApi(source, { port }));
    expect(failure).toMatchObject({ code: 'SLUICE_ADDRESS_IN_USE', exitCode: 2 });
    expect(failure.message).toContain(`127.0.0.1:${port} is taken by another process (admin API)`);
  });

  it('listens where others reach it with a token only', async () => {
    const host = '0.0.0.0';
    expect(await failureOf(startTestApi(source, { host }))).toMatchObject({ code: 'SLUICE_CONFIG', exitCode: 1 });
    open.push(await startTestApi(source, { host, access: () => ({ token: 'a-token-that-is-long', hosts: [] }) }));
    expect((await fetch(`http://127.0.0.1:${open[0]?.port}/healthz`)).status).toBe(200);
  });

  it('closes, also twice', async () => {
    const url = await start();
    open[0]?.close();
    open[0]?.close();
    await expect(fetch(url)).rejects.toThrow();
  });
});
