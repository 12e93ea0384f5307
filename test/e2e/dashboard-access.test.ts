/** The dashboard for people who use a keyboard, a screen reader, a phone, or the other colours; and how large it is. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchBrowser } from '../harness/browser.js';
import {
  type DashboardStage,
  isPageBuilt,
  type StageOptions,
  startDashboardStage,
} from '../harness/dashboard-stage.js';

/** All files together, as they are: what the page may weigh. */
const MOST_BYTES = 150_000;
/** Contrast of text (WCAG 2.1, 1.4.3 AA). */
const LEAST_CONTRAST = 4.5;
const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url));

const canRun = hasChromium() && isPageBuilt();

describe.skipIf(!isPageBuilt())('the files of the dashboard', () => {
  it('are small together', () => {
    const sizes = readdirSync(PAGE_FOLDER).map((name) => statSync(join(PAGE_FOLDER, name)).size);
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MOST_BYTES);
  });
});

describe.skipIf(!canRun)('the dashboard', () => {
  let browser: Browser;
  let stage: DashboardStage;
  let page: Page;

  beforeAll(async () => {
    browser = (await launchBrowser()) as Browser;
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await page.close();
    await stage.close();
  });

  async function open(options: StageOptions & { width?: number; colorScheme?: 'light' | 'dark' } = {}): Promise<void> {
    const { width = 1280, colorScheme = 'light', ...rest } = options;
    stage = await startDashboardStage({ scene: 'trouble', backlogS: 5, ...rest });
    page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' });
    page.setDefaultTimeout(5_000);
    await page.goto(stage.url);
    await page.getByText('Live', { exact: true }).waitFor();
  }

  it('loads nothing from elsewhere', async () => {
    stage = await startDashboardStage();
    page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(stage.url);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((url) => !url.startsWith(stage.url))).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has enough contrast in %s, on the page and in dialogs', async (colorScheme) => {
    await open({ colorScheme });
    await page.getByRole('button', { name: 'Change 10.0.1.1:9001' }).click();
    const poor = await page.evaluate((least) => {
      const channels = (colour: string): number[] => colour.match(/[\d.]+/g)?.map(Number) ?? [];
      const luminance = (colour: string): number => {
        const [red = 0, green = 0, blue = 0] = channels(colour).map((channel) => {
          const part = channel / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const backgroundOf = (start: Element): string => {
        for (let at: Element | null = start; at !== null; at = at.parentElement) {
          const { backgroundColor } = getComputedStyle(at);
          if ((channels(backgroundColor)[3] ?? 1) === 1) return backgroundColor;
        }
        return 'rgb(255, 255, 255)';
      };
      const found: string[] = [];
      for (const each of document.querySelectorAll<HTMLElement>('body *')) {
        const hasText = [...each.childNodes].some((node) => node instanceof Text && node.data.trim() !== '');
        if (!hasText || each.closest('.unseen, [hidden], :disabled, option') !== null || each.clientHeight === 0)
          continue;
        const [text, ground] = [luminance(getComputedStyle(each).color), luminance(backgroundOf(each))];
        const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
        if (contrast < least)
          found.push(`${contrast.toFixed(2)} ${each.tagName}.${each.className}: ${each.textContent?.slice(0, 30)}`);
      }
      return found;
    }, LEAST_CONTRAST);
    expect(poor).toEqual([]);
  });

  it('names every control, table, picture and part', async () => {
    await open();
    const nameless = await page.evaluate(() => {
      const nameOf = (each: Element): string => {
        const labelled = (each.getAttribute('aria-labelledby') ?? '')
          .split(' ')
          .map((id) => document.getElementById(id)?.textContent ?? '');
        const labels = [...((each as HTMLInputElement).labels ?? [])].map((label) => label.textContent ?? '');
        const caption = each.querySelector(':scope > caption, :scope > legend')?.textContent ?? '';
        const own = /^(?:BUTTON|A|SUMMARY)$/.test(each.tagName) ? (each.textContent ?? '') : '';
        return [each.getAttribute('aria-label') ?? '', ...labelled, ...labels, caption, own].join('').trim();
      };
      const wanted =
        'button, a[href], input, select, textarea, summary, table:not(.u-legend), [role="img"], dialog, nav, section, fieldset, [tabindex="0"]';
      return [...document.querySelectorAll(wanted)]
        .filter((each) => nameOf(each) === '')
        .map((each) => each.outerHTML.slice(0, 120));
    });
    expect(nameless).toEqual([]);
  });

  it('has one first heading, no level left out, and tables with heads', async () => {
    await open();
    const levels = await page.evaluate(() =>
      [...document.querySelectorAll('header :is(h1,h2,h3,h4), main :is(h1,h2,h3,h4)')].map(({ tagName }) =>
        Number(tagName[1]),
      ),
    );
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels.every((level, index) => level - (levels[index - 1] ?? 1) <= 1)).toBe(true);
    expect(await page.getByRole('table', { name: 'Endpoints of api' }).getByRole('columnheader').count()).toBe(11);
    expect(await page.getByRole('rowheader', { name: '10.0.0.1:9001' }).count()).toBeGreaterThan(0);
  });

  it('keeps roles of tables in the narrow layout, and fits 360 px', async () => {
    await open({ width: 360 });
    expect(await page.getByRole('table', { name: 'Endpoints of api' }).getByRole('row').count()).toBe(6);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const overlapping = await page.evaluate(
      () =>
        [...document.querySelectorAll('tbody tr, dd')].filter((each) => each.scrollHeight > each.clientHeight + 2)
          .length,
    );
    expect(overlapping).toBe(0);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('main button')]
        .filter((each) => each.clientHeight > 0 && each.getBoundingClientRect().height < 24)
        .map((each) => each.textContent),
    );
    expect(small).toEqual([]); // WCAG 2.2, 2.5.8: targets of 24 px
  });

  it('cuts nothing off where the window is neither wide nor narrow', async () => {
    await open({ width: 1280 });
    for (const width of [761, 1000, 1239, 1240]) {
      await page.setViewportSize({ width, height: 800 });
      const cut = await page.evaluate(
        () =>
          [...document.querySelectorAll('.endpoints tr')].filter((each) => each.scrollWidth > each.clientWidth).length,
      );
      expect(cut, `at ${width} px`).toBe(0);
    }
  });

  it('is reached by keyboard in the order of the page, and shows where the focus is', async () => {
    await open();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const seen: string[] = [];
    for (let step = 0; step < 13; step++) {
      await page.keyboard.press('Tab');
      const { name, outline } = await page.evaluate(() => {
        const each = document.activeElement as HTMLElement;
        const drawn = each.matches('.switch input') ? (each.nextElementSibling as HTMLElement) : each;
        return {
          name:
            each.textContent?.trim() ||
            each.getAttribute('placeholder') ||
            each.parentElement?.textContent?.trim() ||
            '',
          outline: Number.parseFloat(getComputedStyle(drawn).outlineWidth),
        };
      });
      expect(outline, name).toBeGreaterThanOrEqual(2);
      seen.push(name);
    }
    expect(seen).toEqual([
      'Skip to the figures',
      '1 min',
      'Pause',
      'Colours: auto',
      'Configuration',
      'Reload…',
      'Overview',
      'Upstreams',
      'Traffic',
      'Timeline',
      'Explain',
      'Filter by address or state',
      'api',
    ]);
  });

  it('is steered by keyboard alone', async () => {
    await open({ scene: 'calm' });
    await page.getByRole('button', { name: 'Change 10.0.1.2:9001' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('heading', { name: 'Change 10.0.1.2:9001' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.closest('dialog')?.id)).toBe('steer');
    await page.keyboard.press('ArrowDown'); // Drain -> Disable
    await page.getByRole('button', { name: 'Disable' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('10.0.1.2:9001 is disabled.').waitFor();
    expect(stage.calls.map(({ body }) => body)).toEqual([{ state: 'disabled' }]);
  });

  it('tells screen readers of changes of state, and not of each second', async () => {
    await open();
    const live = await page.evaluate(() =>
      [...document.querySelectorAll('[role="status"], [role="alert"], [aria-live], [role="log"]')]
        .filter((each) => each.closest('dialog') === null)
        .map(({ id }) => id),
    );
    expect(live.sort()).toEqual(['explain-answer', 'explain-failure', 'notice', 'stream-told', 'verdict-title']);
    const changes = await page.evaluate(() => {
      const told: string[] = [];
      (globalThis as { told?: string[] }).told = told;
      for (const each of document.querySelectorAll('[role="status"]')) {
        new MutationObserver(() => told.push(each.textContent ?? '')).observe(each, {
          childList: true,
          characterData: true,
          subtree: true,
        });
      }
      return told.length;
    });
    expect(changes).toBe(0);
    const line = await page.locator('.spark path').nth(1).getAttribute('d');
    for (let second = 1; second <= 5; second++) stage.tell(second * 1_000);
    await page.waitForFunction((was) => document.querySelectorAll('.spark path')[1]?.getAttribute('d') !== was, line);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))));
    expect(await page.evaluate(() => (globalThis as { told?: string[] }).told)).toEqual([]);
  });

  it('goes by the system’s colours until somebody chooses, and remembers the choice', async () => {
    await open({ colorScheme: 'dark' });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await ground();
    await page.getByRole('button', { name: 'Colours: auto' }).click();
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    await page.getByRole('button', { name: 'Colours: light' }).waitFor();
    expect(await ground()).toBe(light);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Colours: light' }).click();
    expect(await ground()).toBe(dark);
  });
});
