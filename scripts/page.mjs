/**
 * Builds the dashboard of web/ into dist/web: one script, one style sheet, the page, its icon. Nothing is loaded from elsewhere.
 *
 * Called by the set-up; needs the packages.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { ROOT } from './repository.mjs';

const WEB = `${ROOT}/web`;
const PAGE = `${ROOT}/dist/web`;

rmSync(PAGE, { recursive: true, force: true });
mkdirSync(PAGE, { recursive: true });

const script = await rolldown({
  cwd: ROOT,
  input: { dashboard: 'web/main.ts' },
  platform: 'browser',
  tsconfig: `${WEB}/tsconfig.json`,
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
});
// Comments of licences stay in it.
await script.write({ dir: PAGE, format: 'esm', minify: true, entryFileNames: '[name].js' });

const styles = [`${ROOT}/node_modules/uplot/dist/uPlot.min.css`, `${WEB}/dashboard.css`];
writeFileSync(`${PAGE}/dashboard.css`, styles.map((path) => readFileSync(path, 'utf8')).join('\n'));
for (const name of ['index.html', 'icon.svg']) cpSync(`${WEB}/${name}`, `${PAGE}/${name}`);
