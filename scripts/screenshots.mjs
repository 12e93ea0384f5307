/**
 * Makes the pictures of docs/dashboard.md anew: the real page in Chromium, with figures that are made up, so that the pictures
 * do not depend on a machine.
 *
 * Usage: node scripts/screenshots.mjs [FOLDER]     (docs/images/dashboard without one)
 */
import { mkdirSync } from 'node:fs';
import { register } from 'node:module';
import { ROOT } from './repository.mjs';

register('./typescript-loader.mjs', import.meta.url);
const { startDashboardStage } = await import('../test/harness/dashboard-stage.ts');
const { launchBrowser } = await import('../test/harness/browser.ts');

const folder = process.argv[2] ?? `${ROOT}/docs/images/dashboard`;

/** Width and height in CSS pixels; `scene` as in test/harness/generated-figures.ts. */
const PICTURES = [
  { name: 'overview-light', scene: 'calm', scheme: 'light', width: 1360, height: 980 },
  { name: 'trouble-dark', scene: 'trouble', scheme: 'dark', width: 1360, height: 980 },
  { name: 'drain', scene: 'calm', scheme: 'light', width: 1000, height: 640, steer: 'Change 10.0.0.2:9001' },
  { name: 'phone', scene: 'trouble', scheme: 'light', width: 390, height: 844 },
];

const browser = await launchBrowser();
if (browser === null) throw new Error('there is no Chromium to make pictures with (apt-get install chromium)');
mkdirSync(folder, { recursive: true });
try {
  for (const { name, scene, scheme, width, height, steer } of PICTURES) {
    const stage = await startDashboardStage({ scene, backlogS: 70 });
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
    await page.goto(stage.url);
    stage.tell();
    await page.getByText('Live', { exact: true }).waitFor();
    if (steer !== undefined) {
      await page.getByRole('button', { name: steer }).click();
      await page.getByRole('dialog').waitFor();
    }
    stage.tell();
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${folder}/${name}.png` });
    await page.close();
    await stage.close();
    console.log(`${folder}/${name}.png`);
  }
} finally {
  await browser.close();
}
