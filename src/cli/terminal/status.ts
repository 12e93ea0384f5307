/** The command `status`: what a running sluice does, as tables or as JSON. */
import type { CertificateView } from '../../control/admin/certificate-view.js';
import type { LiveFigures, LiveUpstream, TrafficRates } from '../../observability/live-figures.js';
import { type CertificatePaint, certificateLines } from './certificate-lines.js';
import { counted, countText, durationText, msText, NOTHING, plainText, shareText } from './figures-text.js';
import { TerminalExit, type TerminalExitCode, type TerminalSurroundings } from './terminal-surroundings.js';
import { type Column, tableLines } from './text-table.js';

/** Prints it. @returns the exit code */
export async function runStatus(
  isJson: boolean,
  { client, out, isColoured, nowMs }: TerminalSurroundings,
): Promise<TerminalExitCode> {
  const figures = await client.get<LiveFigures>('/api/v1/live/now');
  const { certificates } = await client.get<{ certificates: readonly CertificateView[] }>('/api/v1/certificates');
  if (isJson) {
    out.write(`${JSON.stringify({ ...figures, certificates }, null, 2)}\n`);
    return TerminalExit.OK;
  }
  const table = certificateLines(certificates, nowMs(), isColoured ? COLOURED : PLAIN);
  const lines = [...statusLines(figures), ...(table.length === 0 ? [] : ['', ...table])];
  out.write(`${lines.join('\n')}\n`);
  return TerminalExit.OK;
}

/** Select Graphic Rendition of ECMA-48: yellow and red. */
const COLOURED: CertificatePaint = {
  ending: (line) => `\u001b[33m${line}\u001b[0m`,
  ended: (line) => `\u001b[31m${line}\u001b[0m`,
};
const PLAIN: CertificatePaint = { ending: (line) => line, ended: (line) => line };

const text = (heading: string): Column => ({ heading, isNumber: false });
const number = (heading: string): Column => ({ heading, isNumber: true });

const RATE_COLUMNS = [number('REQ/S'), number('ERRORS'), number('P50'), number('P95'), number('P99')];

/** Everything for people. Latencies are in ms where nothing else is said. Pure. */
export function statusLines(figures: LiveFigures): string[] {
  const { listeners, upstreams, workers } = figures;
  return [
    ...headLines(figures),
    '',
    ...tableLines(
      [text('LISTENER'), text('MODE'), text('BY'), text('ADDRESS'), ...RATE_COLUMNS],
      listeners.map((each) => [
        plainText(each.name),
        each.mode,
        each.kind,
        plainText(each.address),
        ...rateCells(each),
      ]),
    ),
    ...upstreams.flatMap((upstream) => ['', upstreamLine(upstream), ...endpointLines(upstream)]),
    '',
    ...tableLines(
      [
        text('WORKER'),
        text('STATE'),
        number('CONNECTIONS'),
        number('EXCHANGES'),
        number('SESSIONS'),
        number('UPSTREAM'),
        number('BUSY'),
        number('RESTARTS'),
      ],
      workers.map((each) => [
        String(each.index),
        each.state,
        String(each.openConnections),
        String(each.openExchanges),
        String(each.openSessions),
        String(each.upstreamConnections),
        shareText(each.busyShare),
        String(each.restarts),
      ]),
    ),
  ];
}

/** Version and state, then what goes through. */
export function headLines({ version, readiness, uptimeMs, epoch, windowMs, totals }: LiveFigures): string[] {
  const open = [
    counted(totals.openConnections, 'connection'),
    counted(totals.openExchanges, 'exchange'),
    counted(totals.openSessions, 'session'),
  ];
  const { latencyMs } = totals;
  const latency = latencyMs === null ? '' : `, p50 ${msText(latencyMs.p50)} p99 ${msText(latencyMs.p99)} ms`;
  return [
    `sluice ${version}  ${readiness}  up ${durationText(uptimeMs)}  plan ${epoch}`,
    `${countText(totals.perSecond)}/s, errors ${shareText(totals.errorShare)}${latency}  (last ${Math.round(windowMs / 1_000)} s)`,
    `open: ${open.join(', ')}`,
  ];
}

/** Name, balancer, and what is special about an upstream now. */
export function upstreamLine({ name, balance, panicking, waiting, queueLength, cv, endpoints }: LiveUpstream): string {
  const eligible = endpoints.filter(({ condition }) => TAKES_WORK.has(condition)).length;
  return [
    `upstream ${plainText(name)}`,
    balance,
    `${eligible} of ${counted(endpoints.length, 'endpoint')}`,
    ...(cv === null ? [] : [`cv ${cv.toFixed(2)}`]),
    ...(waiting === null ? [] : [`waiting ${waiting} of ${queueLength ?? NOTHING}`]),
    ...(panicking ? ['PANIC: health is ignored'] : []),
  ].join('  ');
}

/** Conditions of endpoints that take work. */
export const TAKES_WORK: ReadonlySet<string> = new Set(['healthy', 'warming-up', 'on-trial']);

function endpointLines({ endpoints }: LiveUpstream): string[] {
  const lines = tableLines(
    [
      text('ENDPOINT'),
      text('STATE'),
      number('WEIGHT'),
      number('IN FLIGHT'),
      number('CAP'),
      ...RATE_COLUMNS,
      number('SHARE'),
    ],
    endpoints.map((each) => [
      plainText(each.address) + (each.backup ? ' (backup)' : ''),
      each.condition,
      each.weight === each.effectiveWeight ? String(each.weight) : `${each.effectiveWeight} of ${each.weight}`,
      String(each.inFlight),
      each.cap === null ? NOTHING : String(each.cap),
      ...rateCells(each),
      shareText(each.share),
    ]),
  );
  return lines.map((line) => `  ${line}`);
}

function rateCells({ perSecond, errorShare, latencyMs }: TrafficRates): string[] {
  return [
    countText(perSecond),
    shareText(errorShare),
    msText(latencyMs?.p50 ?? null),
    msText(latencyMs?.p95 ?? null),
    msText(latencyMs?.p99 ?? null),
  ];
}
