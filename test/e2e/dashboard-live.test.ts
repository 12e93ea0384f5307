/** The dashboard of a real sluice under load, in a real browser: figures come, an endpoint that falls ill is seen, and one is drained from the page. */
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchBrowser } from '../harness/browser.js';
import { isPageBuilt } from '../harness/dashboard-stage.js';
import { configFor, type ProxyProcess, startProxy } from '../harness/proxy-process.js';
import { SteadyLoad } from '../harness/steady-load.js';
import { HEALTH_PATH, StoryEndpoint } from '../harness/story-endpoint.js';

const canRun = hasChromium() && isPageBuilt();

describe.skipIf(!canRun)('the dashboard of a running sluice', () => {
  const closers: (() => Promise<unknown>)[] = [];
  let swift: StoryEndpoint;
  let steady: StoryEndpoint;
  let proxy: ProxyProcess;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeEach(async () => {
    swift = await StoryEndpoint.start('swift');
    steady = await StoryEndpoint.start('steady');
    closers.push(
      () => swift.close(),
      () => steady.close(),
    );
    const ports = [swift, steady].map(({ address }) => Number(address.split(':')[1]));
    proxy = await startProxy(
      configFor(ports, {
        upstream: {
          healthCheck: { path: HEALTH_PATH, interval: '300ms', timeout: '300ms', healthyAfter: 1, unhealthyAfter: 1 },
        },
      }),
    );
    closers.push(() => proxy.stop());
    const load = await SteadyLoad.start(proxy.port, { perSecond: 100, connections: 4 });
    closers.push(() => load.close());
    browser = (await launchBrowser()) as Browser;
    closers.push(() => browser.close());
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${proxy.adminPort}/`);
    await page.getByText('Live', { exact: true }).waitFor();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  it('shows its traffic, an endpoint that falls ill, and drains another', async () => {
    const row = (endpoint: StoryEndpoint) => page.getByRole('row', { name: endpoint.address });
    await page.waitForFunction(() => /^[1-9]/.test(document.querySelector('#tiles .value')?.textContent ?? ''));
    await page.waitForFunction(
      (addresses) =>
        addresses.every((address) => {
          const line = [...document.querySelectorAll('.endpoints tbody tr')].find((each) =>
            each.textContent?.includes(address),
          );
          return /^[1-9]/.test(line?.querySelector('[data-title="Req/s"]')?.textContent ?? '');
        }),
      [swift.address, steady.address],
    );
    expect(await row(swift).getByText('healthy').count()).toBe(1);
    await page.waitForFunction(() =>
      / ms$/.test(document.querySelector('.endpoints [data-title="p95"]')?.textContent ?? ''),
    );

    steady.isIll = true;
    await row(steady).getByText('unhealthy').waitFor();
    await page.locator('#timeline-list').getByText('endpoint-unhealthy').first().waitFor();
    steady.isIll = false;
    await row(steady).getByText('healthy', { exact: true }).waitFor();

    await page.getByRole('button', { name: `Change ${swift.address}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await row(swift)
      .getByText(/^drain(?:ing|ed)$/)
      .waitFor();
    const { endpoints } = await proxy.admin<{ endpoints: { address: string; draining: boolean }[] }>(
      '/api/v1/upstreams/app/endpoints',
    );
    expect(endpoints.map(({ draining }) => draining)).toEqual([true, false]);
    expect(complaints).toEqual([]);
  });

  it('is told what has not changed, and that its files are known', async () => {
    const [script] = await page.evaluate(async () => {
      const first = await fetch('/assets/dashboard.js', { cache: 'no-store' });
      const known = await fetch('/assets/dashboard.js', {
        cache: 'no-store',
        headers: { 'if-none-match': first.headers.get('etag') ?? '' },
      });
      return [{ first: first.status, known: known.status, policy: first.headers.get('content-security-policy') }];
    });
    expect(script).toMatchObject({ first: 200, known: 304 });
    expect(script?.policy).toContain("script-src 'self'");
  });
});
