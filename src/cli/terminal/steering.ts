/** The commands `drain`, `undrain` and `weight`: change an endpoint of a running sluice, and say how it is then. */
import type { EndpointView } from '../../control/admin/endpoint-view.js';
import type { LiveFigures } from '../../observability/live-figures.js';
import { AdminFailure } from './admin-client.js';
import { endpointNamed, endpointPath, type NamedEndpoint } from './named-endpoint.js';
import type { TerminalCommand } from './terminal-arguments.js';
import { TerminalExit, type TerminalExitCode, type TerminalSurroundings } from './terminal-surroundings.js';

/** Between two looks at a drain. */
const LOOK_INTERVAL_MS = 250;
/** Without a terminal a line is printed at most so often. */
const PLAIN_INTERVAL_MS = 5_000;
/** Clears the terminal's current line and goes to its start (ECMA-48: EL 2, CR). */
const CLEAR_LINE = '\u001b[2K\r';

/** Answer of the endpoint's resource. */
interface EndpointAnswer {
  readonly endpoint: EndpointView;
}

/** Carries a change out. @returns the exit code */
export async function runSteering(
  command: Extract<TerminalCommand, { name: 'drain' | 'undrain' | 'weight' }>,
  surroundings: TerminalSurroundings,
): Promise<TerminalExitCode> {
  const { client, out, nowMs } = surroundings;
  const figures = await client.get<LiveFigures>('/api/v1/live/now');
  const aheadMs = figures.at - nowMs();
  const found = endpointNamed(command.endpoint, figures);
  if (!found.ok) throw new AdminFailure('refused', found.sentence);
  const named = found.endpoint;
  const name = `${named.upstream}/${named.address}`;
  const { endpoint } = await client.put<EndpointAnswer>(endpointPath(named), bodyOf(command));
  if (command.name === 'weight') {
    const effective =
      endpoint.effectiveWeight === endpoint.weight ? '' : ` (it counts as ${endpoint.effectiveWeight} now)`;
    out.write(`${name} has the weight ${endpoint.weight}${effective}\n`);
    return TerminalExit.OK;
  }
  if (command.name === 'undrain') {
    out.write(`${name} takes work again${whyNotYet(endpoint)}\n`);
    return TerminalExit.OK;
  }
  if (command.isWaiting) return await waitForDrain(named, endpoint, aheadMs, surroundings);
  out.write(`${name} ${drainText(endpoint)}\n`);
  return TerminalExit.OK;
}

function bodyOf(command: Extract<TerminalCommand, { name: 'drain' | 'undrain' | 'weight' }>): unknown {
  switch (command.name) {
    case 'drain':
      return { state: 'draining', ...(command.timeout === null ? {} : { drainTimeout: command.timeout }) };
    case 'undrain':
      return { state: 'enabled' };
    case 'weight':
      return { weight: command.weight };
  }
}

/** How a drain stands, behind the endpoint's name. Pure. */
export function drainText({ state, inFlight, drain }: Pick<EndpointView, 'state' | 'inFlight' | 'drain'>): string {
  if (state === 'drained') return 'is drained: nothing is in flight, it can be stopped';
  const { inFlightAtStart = inFlight, timeoutMs = null } = drain ?? {};
  const limit = timeoutMs === null ? '' : `, at most ${timeoutMs / 1_000} s`;
  return `drains: ${inFlight} of ${inFlightAtStart} in flight${limit}`;
}

function whyNotYet({ healthy, resolved, weight }: EndpointView): string {
  if (!resolved) return ', as soon as its name is resolved';
  if (weight === 0) return ', as soon as its weight is not 0';
  return healthy ? '' : ', as soon as it is healthy';
}

/** @param aheadMs what the clock of the proxy is ahead of ours: moments of a drain are by its own */
async function waitForDrain(
  named: NamedEndpoint,
  first: EndpointView,
  aheadMs: number,
  { client, out, isTerminal, nowMs, sleep }: TerminalSurroundings,
): Promise<TerminalExitCode> {
  const name = `${named.upstream}/${named.address}`;
  const startedAt = nowMs();
  let printedAt = Number.NEGATIVE_INFINITY;
  let endpoint = first;
  while (endpoint.state === 'draining') {
    const line = `${name} ${drainText(endpoint)}`;
    if (isTerminal) out.write(`${CLEAR_LINE}${line}`);
    else if (nowMs() - printedAt >= PLAIN_INTERVAL_MS) {
      printedAt = nowMs();
      out.write(`${line}\n`);
    }
    await sleep(LOOK_INTERVAL_MS);
    endpoint = (await client.get<EndpointAnswer>(endpointPath(named))).endpoint;
  }
  if (isTerminal) out.write(CLEAR_LINE);
  if (endpoint.state !== 'drained') {
    throw new AdminFailure('refused', `the drain of ${name} is over: somebody else has made it ${endpoint.state}`);
  }
  const elapsedMs = nowMs() - startedAt;
  // The drain may have begun long before this command did.
  const endsAt = endpoint.drain?.endsAt ?? null;
  const isCut = first.state === 'draining' && endsAt !== null && nowMs() + aheadMs >= Date.parse(endsAt);
  const how = isCut ? '; what was left in flight when its time was over was cut' : '';
  out.write(`${name} is drained after ${(elapsedMs / 1_000).toFixed(1)} s, it can be stopped${how}\n`);
  return TerminalExit.OK;
}
