/** An endpoint on uWebSockets.js: for scenarios with delays, and where nginx is not installed. Arguments: port, delay in ms. */
import { loadUws } from '../../../dist/l7/frontends/uws/load-uws.js';
import { BODY_BYTES } from '../scenarios/scenario.mjs';
import { bodyOf } from './bodies.mjs';

const [port, delayMs] = process.argv.slice(2).map(Number);
const { uws } = loadUws();
const bodies = new Map();

function answer(response, path) {
  const body = bodies.get(path) ?? bodyOf(path);
  bodies.set(path, body);
  response.end(body);
}

const app = uws.App();
for (const path of Object.keys(BODY_BYTES)) {
  app.get(path, (response) => {
    if (delayMs === 0) return answer(response, path);
    let isGone = false;
    response.onAborted(() => (isGone = true));
    setTimeout(() => isGone || response.cork(() => answer(response, path)), delayMs);
  });
}
app.post('/upload', (response) => {
  response.onAborted(() => undefined);
  response.onData((_chunk, isLast) => isLast && response.end());
});
app.listen('127.0.0.1', port, (socket) => {
  if (socket) return;
  console.error(`port ${port} is taken`);
  process.exit(1);
});
