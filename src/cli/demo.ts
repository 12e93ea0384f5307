/** The command `demo`: three small endpoints, the proxy in front of them, and a live line of what it does. */

import { parseBindAddress } from '../config/address.js';
import { ADMIN_ADDRESS, LISTEN_ADDRESS, UPSTREAM_NAME } from '../config/defaults.js';
import type { ConfigFlags } from '../config/flags.js';
import { loadConfig } from '../config/load.js';
import type { BindPlan } from '../config/plan.js';
import { CertificateReader } from '../control/certificates/certificate-reader.js';
import { systemSources } from '../control/certificates/system-sources.js';
import type { Primary } from '../control/primary.js';
import { bindText, ExitCode, placeText } from '../control/start-failure.js';
import { invariant } from '../core/invariant.js';
import type { Addon } from '../engine/addon.js';
import type { LogSink } from '../observability/log-sink.js';
import type { Arguments } from './arguments.js';
import { paintFor, reportLines } from './check-report.js';
import { DemoDisplay } from './demo-display.js';
import { DEMO_ENDPOINTS, startDemoEndpoints } from './demo-endpoints.js';
import { type DemoLook, demoLine, hasMoved } from './demo-report.js';
import { launch } from './launch.js';
import type { RunSurroundings } from './run.js';

/** Shows best that endpoints differ. */
const DEMO_BALANCE = 'least-time';
/** The demo's own lines say what goes on; the log only what goes wrong. */
const DEMO_LOG_LEVEL = 'warn';
/** Ports tried from the default one upwards before the system chooses. */
const PORTS_TRIED = 20;
const LOOK_TERMINAL_MS = 1_000;
const LOOK_PLAIN_MS = 5_000;

/** Runs the demo until it is interrupted. @returns the exit code. Thread: primary. */
export async function runDemo(
  command: Extract<Arguments, { kind: 'demo' }>,
  surroundings: RunSurroundings,
): Promise<number> {
  const { out, err, environment, readFile, machine } = surroundings;
  const display = new DemoDisplay(out);
  const endpoints = await startDemoEndpoints(DEMO_ENDPOINTS);
  const reporter = new DemoReporter(display);
  try {
    const flags = demoFlags(command.flags, endpoints.addresses, surroundings.loadAddon, display);
    const loaded = loadConfig({ file: null, flags, readFile, machine });
    if (!loaded.ok) {
      err.write(
        `${reportLines(null, { problems: loaded.problems, warnings: [] }, paintFor(err, environment)).join('\n')}\n`,
      );
      return ExitCode.BAD_INPUT;
    }
    return await launch({
      config: loaded.config,
      warnings: [],
      processors: machine.processors,
      loadAddon: surroundings.loadAddon,
      workerEntry: surroundings.workerEntry,
      certificateReader: new CertificateReader(systemSources({ readFile, environment })),
      sink: sinkAround(display, surroundings.openSink()),
      err,
      file: null,
      onHangup: 'stop', // there is no file to reload, and a closed terminal must not leave a demo behind
      onReady: (primary) => {
        display.print(introduction(primary, flags.balance ?? DEMO_BALANCE, commandWords(environment)));
        reporter.start(primary);
      },
    });
  } finally {
    reporter.close();
    display.close();
    await endpoints.close();
  }
}

/** What the user types, with flags behind it, to start the demo again and to load an address: in a clone, or with sluice installed. */
interface CommandWords {
  readonly again: string;
  readonly bench: string;
}

function commandWords(environment: Readonly<Record<string, string | undefined>>): CommandWords {
  return environment.npm_lifecycle_event === 'start'
    ? { again: 'npm start --', bench: 'node bundle/cli/main.js bench' }
    : { again: 'sluice demo', bench: 'sluice bench' };
}

function demoFlags(
  given: ConfigFlags,
  upstream: readonly string[],
  loadAddon: () => Addon,
  display: DemoDisplay,
): ConfigFlags {
  const chosen: ConfigFlags = { balance: DEMO_BALANCE, logLevel: DEMO_LOG_LEVEL, ...given, upstream };
  if (given.listen !== undefined && given.admin !== undefined) return chosen;
  const addon = loadAddon();
  return {
    ...chosen,
    listen: given.listen ?? [freeAddress(LISTEN_ADDRESS, addon, display)],
    admin: given.admin ?? freeAddress(ADMIN_ADDRESS, addon, display),
  };
}

/** The default address, or, where it is taken, the next free port; says so. */
function freeAddress(preferred: string, addon: Addon, display: DemoDisplay): string {
  const parsed = parseBindAddress(preferred);
  invariant(parsed.ok, `the default address ${preferred} is well-formed`);
  const { host, port } = parsed.value;
  const candidates = [...Array.from({ length: PORTS_TRIED }, (_, offset) => port + offset), 0];
  for (const candidate of candidates) {
    try {
      const reserved = addon.reserveAddress(host, candidate);
      reserved.close();
      if (candidate !== port) display.print(`${preferred} is taken, using port ${reserved.port} instead.\n`);
      return placeText(host, reserved.port);
    } catch {
      // Taken or not allowed: the next one. If none can be had, the start says why.
    }
  }
  return preferred;
}

/** Log lines that leave the live line whole. */
function sinkAround(display: DemoDisplay, sink: LogSink): LogSink {
  return {
    write: (line) => display.around(() => sink.write(line)),
    get droppedLines() {
      return sink.droppedLines;
    },
    flush: () => sink.flush(),
  };
}

function introduction(primary: Primary, balance: string, words: CommandWords): string {
  const [listener] = primary.plan.listeners;
  invariant(listener, 'the demo has a listener');
  const url = urlOf(listener.bind);
  const { workers } = primary.plan;
  const { adminAddress } = primary;
  const admin = adminAddress === null ? null : `http://${placeText(adminAddress.host, adminAddress.port)}/`;
  return [
    '',
    `sluice listens on ${url ?? bindText(listener.bind)} with ${workers} ${workers === 1 ? 'worker' : 'workers'} and balances by ${balance} over`,
    ...DEMO_ENDPOINTS.map(({ name, delayMs }) => `  ${name.padEnd(7)} which takes ${delayMs} ms to answer`),
    '',
    ...(admin === null ? [] : [`Watch it in a browser: ${admin}`, '']),
    'Try in another terminal:',
    ...(url === null
      ? [`  curl ${curlOption(listener.bind)} http://localhost/`]
      : [`  curl ${url}`, `  ${words.bench} --url ${url}`]),
    ...(admin === null ? [] : [`  curl ${admin}api/v1/upstreams/${UPSTREAM_NAME}/endpoints`]),
    'and with another balancer:',
    `  ${words.again} --balance ${balance === 'round-robin' ? 'least-conn' : 'round-robin'}`,
    '',
    'Below: requests a second, the share of each endpoint, in brackets its requests in flight. Ctrl-C ends it.',
    '',
    '',
  ].join('\n');
}

/** Where a browser finds the listener; null for a UNIX socket, which has no URL. */
function urlOf(bind: BindPlan): string | null {
  if (bind.kind === 'unix') return null;
  const isWildcard = bind.host === '0.0.0.0' || bind.host === '::';
  return `http://${placeText(isWildcard ? '127.0.0.1' : bind.host, bind.port)}/`;
}

/** What curl needs to be told of a UNIX socket; '' for a port. */
function curlOption(bind: BindPlan): string {
  if (bind.kind === 'tcp') return '';
  return bind.path.startsWith('@') ? `--abstract-unix-socket ${bind.path.slice(1)}` : `--unix-socket ${bind.path}`;
}

/** Prints the live line: every second on a terminal; elsewhere every five seconds, if something has changed. */
class DemoReporter {
  readonly #display: DemoDisplay;
  #timer: NodeJS.Timeout | undefined;

  constructor(display: DemoDisplay) {
    this.#display = display;
  }

  start(primary: Primary): void {
    let before = lookAt(primary);
    const { isTerminal } = this.#display;
    this.#timer = setInterval(
      () => {
        const after = lookAt(primary);
        if (isTerminal || hasMoved(before, after)) this.#display.live(demoLine(before, after));
        before = after;
      },
      isTerminal ? LOOK_TERMINAL_MS : LOOK_PLAIN_MS,
    );
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#timer);
  }
}

function lookAt(primary: Primary): DemoLook {
  const rows = primary.views.endpoints(UPSTREAM_NAME) ?? [];
  return {
    atMs: performance.now(),
    endpoints: rows.map(({ requests, inFlight }, index) => ({
      name: DEMO_ENDPOINTS[index]?.name ?? '?',
      requests,
      inFlight,
    })),
  };
}
