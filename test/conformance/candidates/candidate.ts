/** What the suite asks of a proxy that it is run against. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProfileName } from '../case-format.js';
import type { PortOf } from '../harness/run-case.js';

export const PROFILES: readonly ProfileName[] = ['usual', 'limits', 'times', 'trusting'];

/** A running proxy. Always `stop` it. */
export interface RunningCandidate {
  readonly portOf: PortOf;
  stop(): Promise<unknown>;
}

/** A proxy that can be started. One thread of it serves everything, so that a fence is one. */
export interface Candidate {
  readonly name: string;
  /** @returns what is missing, or '' */
  missing(): string;
  /** @param endpointPorts the endpoint of each lane: every lane has a listener for each profile in front of it */
  start(endpointPorts: readonly number[]): Promise<RunningCandidate>;
}

/** Ports that were free a moment ago, for programs that cannot choose one themselves. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Replaces `{{name}}` in a file that lies beside the candidates. */
export function filled(file: string, values: Readonly<Record<string, string>>): string {
  const template = readFileSync(new URL(file, import.meta.url), 'utf8');
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

const START_PATIENCE_MS = 10_000;

/** Starts a program with a configuration file and waits until it accepts on all ports. @param args '{}' stands for the file */
export async function startConfigured(
  program: string,
  args: readonly string[],
  makeConfiguration: (directory: string) => string,
  ports: readonly number[],
): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
  const file = join(directory, 'configuration');
  writeFileSync(file, makeConfiguration(directory));
  const child = spawn(
    program,
    args.map((arg) => arg.replace('{}', file)),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-2_000);
  });
  const ended = once(child, 'close').then(() => rmSync(directory, { recursive: true, force: true }));
  const deadline = Date.now() + START_PATIENCE_MS;
  for (const port of ports) {
    while (!(await isAccepting(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${program} does not accept on port ${port}: ${told}`);
      }
      await pause(20);
    }
  }
  return async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await ended;
    clearTimeout(timer);
  };
}

function isAccepting(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
