/** Writes docs/metrics.md from the compiled catalogue of metrics: run after `tsc`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { metricReference } from '../dist/observability/docs/metric-reference.js';

writeFileSync(fileURLToPath(new URL('../docs/metrics.md', import.meta.url)), metricReference());
