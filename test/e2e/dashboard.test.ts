/** The dashboard in a real browser, with made-up figures: what it shows, that it steers, and that it never takes old figures for live. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchBrowser } from '../harness/browser.js';
import {
  type DashboardStage,
  isPageBuilt,
  type StageOptions,
  startDashboardStage,
} from '../harness/dashboard-stage.js';
import { MARKUP } from '../harness/generated-figures.js';

/** What a second with 300 endpoints may cost the browser's main thread: two frames. Processor time, since others use the machine as well. */
const MOST_MS_A_SECOND = 33;

const canRun = hasChromium() && isPageBuilt();
if (!isPageBuilt()) console.info('skipped: the dashboard is not built (npm run build)');

describe.skipIf(!canRun)('the dashboard', () => {
  let browser: Browser;
  let stage: DashboardStage;
  let page: Page;
  /** What the page complained of: errors, and what its security policy refused. */
  let complaints: string[];

  beforeAll(async () => {
    browser = (await launchBrowser()) as Browser;
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await page.close();
    await stage.close();
    expect(complaints).toEqual([]);
  });

  async function open(options: StageOptions = {}, width = 1280): Promise<void> {
    stage = await startDashboardStage(options);
    page = await browser.newPage({ viewport: { width, height: 700 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(5_000);
    complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      const isExpected = /Failed to load resource/.test(message.text()); // refusals that a test asked for
      if (message.type() === 'error' && !isExpected) complaints.push(message.text());
    });
    await page.goto(stage.url);
  }

  const row = (address: string) => page.getByRole('row', { name: address });
  const dialog = (): ReturnType<Page['getByRole']> => page.getByRole('dialog');

  it('shows health, totals, endpoints and what happened', async () => {
    await open({ scene: 'trouble', backlogS: 70 });
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('2 problems').waitFor();
    expect(await page.locator('#troubles li').allTextContents()).toContain(
      '10.0.1.3:9001 (pages) fails its health check',
    );
    expect(await row('10.0.0.3:9001').getByText('ejected').count()).toBe(1);
    expect(await page.getByText('uneven, CV 0.34').count()).toBe(2);
    expect(await page.locator('.happened').first().textContent()).toContain('10.0.1.2:9001 gets no new work');
    expect(await page.getByRole('img', { name: /^Latency of the last 1 minute; now p50/ }).count()).toBe(1);
    const lines = await page.evaluate(() => document.querySelectorAll<HTMLCanvasElement>('.plot canvas').length);
    expect(lines).toBe(2);
  });

  it('shows certificates, and marks those that end soon or have ended', async () => {
    await open({ scene: 'trouble', backlogS: 1 });
    await row('www.example.com').waitFor();
    expect(await row('www.example.com').getByText('61 days', { exact: true }).getAttribute('data-tone')).toBeNull();
    expect(await row('api.example.com').getByText('12 days !').getAttribute('data-tone')).toBe('warn');
    expect(await row('proxy.internal').getByText('ended !!').getAttribute('data-tone')).toBe('bad');
    expect(await row('proxy.internal').getByText('upstream pages').count()).toBe(1);
  });

  it('has no card for certificates where there are none', async () => {
    await open({ scene: 'empty', backlogS: 1 });
    await page.getByRole('heading', { name: 'Listeners' }).waitFor();
    expect(await page.getByRole('heading', { name: 'Certificates' }).count()).toBe(0);
  });

  it('draws what was measured: charts, small lines and heat are not blank', async () => {
    await open({ backlogS: 70 });
    await page.getByText('All is well').waitFor();
    // Canvases are drawn in the frame after the figures.
    await page.waitForFunction(() => {
      const paintedOf = (canvas: HTMLCanvasElement): number => {
        const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        const colours = new Set<string>();
        for (let at = 0; at < pixels.length; at += 4 * 37) colours.add(pixels.slice(at, at + 4).join());
        return colours.size;
      };
      const canvases = [...document.querySelectorAll('canvas')];
      return canvases.length === 4 && canvases.every((canvas) => paintedOf(canvas) > 3);
    });
    expect((await page.locator('.spark path').nth(1).getAttribute('d'))?.match(/L/g)?.length).toBeGreaterThan(50);
  });

  it('drains an endpoint after saying what will happen, and gives the focus back', async () => {
    await open();
    await page.getByRole('button', { name: 'Change 10.0.0.2:9001' }).click();
    await dialog().getByText('10.0.0.2:9001 gets no new work at once.').waitFor();
    await dialog()
      .getByText(/in flight on it may finish/)
      .waitFor();
    await dialog().getByLabel('Most time to finish').fill('45s');
    await dialog().getByText('What is still in flight after 45s is cut.').waitFor();
    await dialog().getByRole('button', { name: 'Drain' }).click();
    await page.getByText('10.0.0.2:9001 drains.').waitFor();
    expect(stage.calls).toEqual([
      {
        method: 'PUT',
        path: '/api/v1/upstreams/api/endpoints/10.0.0.2%3A9001',
        body: { state: 'draining', drainTimeout: '45s' },
      },
    ]);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Change 10.0.0.2:9001');
    stage.tell();
    await row('10.0.0.2:9001').getByText('draining').waitFor();
  });

  it('sets a weight, and shows the refusal of the API', async () => {
    await open();
    stage.refusal = { status: 400, body: { error: 'bad-change', message: 'weight must be smaller today' } };
    await page.getByRole('button', { name: 'Change 10.0.0.1:9001' }).click();
    await dialog().getByLabel('Set its weight').check();
    await dialog()
      .getByLabel(/^Weight/)
      .fill('many');
    expect(await dialog().getByRole('button', { name: 'Set weight' }).isDisabled()).toBe(true);
    await dialog()
      .getByLabel(/^Weight/)
      .fill('5');
    await dialog().getByRole('button', { name: 'Set weight' }).click();
    await dialog().getByRole('alert').getByText('weight must be smaller today').waitFor();
    stage.refusal = null;
    await dialog().getByRole('button', { name: 'Set weight' }).click();
    await dialog().waitFor({ state: 'hidden' });
    expect(stage.calls.map(({ body }) => body)).toEqual([{ weight: 5 }, { weight: 5 }]);
  });

  it('warns before the last endpoint of an upstream is taken away', async () => {
    await open({ scene: 'trouble' });
    await page.getByRole('button', { name: 'Change 10.0.1.1:9001' }).click();
    await dialog()
      .getByRole('alert')
      .getByText(/last endpoint of pages/)
      .waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    expect(stage.calls).toEqual([]);
  });

  it('reloads, and lists the problems of a bad file', async () => {
    await open();
    stage.refusal = {
      status: 422,
      body: {
        error: 'bad-config',
        message: 'the configuration has 2 problems',
        problems: ['a.yaml:2:5: one', 'a.yaml:3:1: two'],
      },
    };
    await page.getByRole('button', { name: 'Reload…' }).click();
    await dialog().getByRole('button', { name: 'Reload' }).click();
    await dialog().getByText('a.yaml:3:1: two').waitFor();
    await dialog().getByText('Nothing has changed.').waitFor();
    stage.refusal = null;
    await dialog().getByRole('button', { name: 'Try again' }).click();
    await dialog().getByText('plan 2 counts: 1 upstream changed and 2 endpoints new').waitFor();
    await dialog().getByText('workers takes effect with the next start only').waitFor();
  });

  it('explains where a request would go', async () => {
    await open();
    await page.getByLabel('Path or URL').fill('http://shop.example/api/a?b=1');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('It would go to 10.0.0.1:9001.').waitFor();
    await page.getByText('no: ejected').waitFor();
    expect(stage.calls[0]?.body).toMatchObject({ method: 'GET', host: 'shop.example', target: '/api/a?b=1' });
  });

  it('shows the effective configuration', async () => {
    await open();
    await page.getByRole('button', { name: 'Configuration' }).click();
    await dialog().getByText('- name: web').waitFor();
  });

  it('says since when it is disconnected, and comes back', async () => {
    await open();
    await page.getByText('Live', { exact: true }).waitFor();
    stage.away(true);
    await page.getByText(/^Disconnected since \d\d:\d\d:\d\d/).waitFor();
    expect(await page.locator('body').getAttribute('data-stale')).toBe('');
    expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Try now' }).click();
    stage.away(false);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.locator('body').getAttribute('data-stale')).toBeNull();
  });

  it('does not call figures live that have stopped coming', async () => {
    await open();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText(/^No figures since/).waitFor({ timeout: 8_000 });
    expect(await page.locator('body').getAttribute('data-stale')).toBe('');
    stage.tell();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('asks for the token, and keeps it for this tab', async () => {
    await open({ token: 'secret' });
    const refusal = dialog().getByText('The token that was given is not that of the configuration.');
    await dialog().getByLabel('Token').waitFor();
    expect(await refusal.isVisible()).toBe(false);
    await dialog().getByLabel('Token').fill('wrong');
    await dialog().getByRole('button', { name: 'Continue' }).click();
    await refusal.waitFor();
    await dialog().getByLabel('Token').fill('secret');
    await dialog().getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
  });

  it('holds still while paused', async () => {
    await open();
    await page.getByText('Live', { exact: true }).waitFor();
    const shown = await page.locator('#tiles').textContent();
    await page.getByRole('button', { name: 'Pause' }).click();
    for (const moreMs of [1_000, 2_000, 3_000]) stage.tell(moreMs);
    stage.happen({
      id: 99,
      at: 0,
      level: 'error',
      event: 'panic',
      text: 'later',
      code: null,
      upstream: null,
      endpoint: null,
      count: 1,
    });
    await page.getByText(/^Paused at/).waitFor();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    expect(await page.locator('#tiles').textContent()).toBe(shown);
    expect(await page.getByText('later').count()).toBe(0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('later').waitFor();
  });

  it('takes names for text, whatever they look like', async () => {
    await open({ scene: 'markup', backlogS: 3 });
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: `Change ${MARKUP}` }).click();
    await dialog()
      .getByRole('heading', { name: `Change ${MARKUP}` })
      .waitFor();
    expect(await page.title()).toBe('sluice');
    expect(await page.locator('img[src="x"], main script').count()).toBe(0);
  });

  it.each(['empty', 'huge', 'down'] as const)('fits a wide and a narrow window where all is %s', async (scene) => {
    await open({ scene, backlogS: 5 }, 360);
    await page.getByText('Live', { exact: true }).waitFor();
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, `${scene} at ${width} px`).toBeLessThanOrEqual(0);
    }
  });

  it('sorts and filters 300 endpoints, and brings them up to date within a frame', async () => {
    await open({ scene: 'many', backlogS: 2 });
    await page.getByText('Live', { exact: true }).waitFor();
    const addresses = () => page.locator('.endpoints tbody th .address').allTextContents();
    expect(await addresses()).toHaveLength(300);
    await page.getByRole('button', { name: 'p99' }).first().click();
    expect(await page.getByRole('columnheader', { name: 'p99' }).first().getAttribute('aria-sort')).toBe('descending');
    await page.getByPlaceholder('Filter by address').fill('unhealthy');
    await page.waitForFunction(() => document.querySelectorAll('.endpoints tbody tr').length === 6);
    await page.getByPlaceholder('Filter by address').fill('');
    await page.waitForFunction(() => document.querySelectorAll('.endpoints tbody tr').length === 300);
    expect(await timePerSecond(page, stage)).toBeLessThan(MOST_MS_A_SECOND);
  });
});

/** Processor time for script, style and layout of one second's figures, in ms; the mean of some. */
async function timePerSecond(page: Page, stage: DashboardStage): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spentMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    const wanted = metrics.filter(({ name }) => /^(?:Script|Layout|RecalcStyle)Duration$/.test(name));
    return wanted.reduce((sum, { value }) => sum + value * 1_000, 0);
  };
  const seconds = 8;
  let before = 0;
  for (let second = 1; second <= seconds + 2; second++) {
    if (second === 3) before = await spentMs(); // the first ones compile what they run
    const line = await page.locator('.spark path').nth(1).getAttribute('d');
    stage.tell(second * 1_000);
    await page.waitForFunction((was) => document.querySelectorAll('.spark path')[1]?.getAttribute('d') !== was, line, {
      polling: 20,
    });
  }
  return ((await spentMs()) - before) / seconds;
}
