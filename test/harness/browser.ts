/** A Chromium without a window, for tests of the dashboard. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian puts it; SLUICE_CHROMIUM: where else it is. */
const CHROMIUM = process.env['SLUICE_CHROMIUM'] ?? '/usr/bin/chromium';

/** Nothing but the page itself may cause traffic, and root may start it. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Is there one? Says so where there is none. */
export function hasChromium(): boolean {
  if (existsSync(CHROMIUM)) return true;
  console.info('skipped: chromium is not installed (apt-get install chromium)');
  return false;
}

/** Starts one; always close it. null: there is none. */
export async function launchBrowser(): Promise<Browser | null> {
  return hasChromium() ? await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS }) : null;
}
