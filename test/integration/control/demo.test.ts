/** The demo, without a terminal. */
import { afterEach, describe, expect, it } from 'vitest';
import { SluiceProcess, until } from './sluice-process.js';

const open: SluiceProcess[] = [];

afterEach(async () => {
  for (const sluice of open.splice(0)) await sluice.close();
});

describe('sluice demo', () => {
  it('says what to try, balances over its endpoints, prints a line when something changed, and ends cleanly', async () => {
    const sluice = SluiceProcess.command('demo', '--listen', '127.0.0.1:0', '--admin', 'off', '--workers', '1');
    open.push(sluice);
    const url = await until('the address', () => /curl (http:\S+)/.exec(sluice.stdout)?.[1]);
    expect(sluice.stdout).toContain(`  sluice bench --url ${url}\n`);
    expect(await (await fetch(url)).text()).toMatch(/^Hello from (swift|steady|slow), which takes \d+ ms/);
    await until('a live line', () => /requests\/s \| swift \d+ %/.exec(sluice.stdout) ?? undefined);
    sluice.signal('SIGINT');
    expect(await sluice.exit()).toBe(0);
    expect(sluice.stderr).toBe('');
  });

  it('says where a browser can watch it', async () => {
    const sluice = SluiceProcess.command('demo', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', '1');
    open.push(sluice);
    const url = await until('the address', () => /Watch it in a browser: (http:\S+\/)\n/.exec(sluice.stdout)?.[1]);
    expect((await fetch(`${url}readyz`)).status).toBe(200);
    expect(sluice.stdout).toContain(`  curl ${url}api/v1/upstreams/default/endpoints\n`);
  });
});
