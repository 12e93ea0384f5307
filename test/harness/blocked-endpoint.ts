/** An address where connection attempts get no answer: a listener whose backlog is full and that never accepts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Always `close` it. */
export interface BlockedEndpoint {
  readonly port: number;
  /** The port is free when it resolves. Idempotent. */
  close(): Promise<void>;
}

/** Nobody's connect on one machine takes longer. */
const OTHERS_MS = 500;

/** Listens, says where, and never looks at its sockets again. */
const LISTENER = `
  const server = require('node:net').createServer();
  server.listen({ host: process.argv[1], port: Number(process.argv[2]), backlog: 1 }, () => {
    require('node:fs').writeSync(1, server.address().port + '\\n');
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  });
`;

/** @param where any free port of 127.0.0.1, by default; `wrap`: words in front of the command, such as a network namespace */
export async function startBlockedEndpoint(
  where: { readonly host?: string; readonly port?: number; readonly wrap?: readonly string[] } = {},
): Promise<BlockedEndpoint> {
  const { host = '127.0.0.1', wrap = [] } = where;
  const command = [...wrap, process.execPath, '-e', LISTENER, host, String(where.port ?? 0)];
  const child: ChildProcess = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];
  const port = Number(line.toString());
  // The kernel lets one connection more into the queue than the backlog says; two more wait for the others.
  const fillers: Socket[] = Array.from({ length: 4 }, () => connect(port, host).on('error', () => {}));
  // Others may be there first, where clients know the port already: then the fillers wait, and it is as full.
  const isOthers = new Promise<void>((resolve) => setTimeout(resolve, OTHERS_MS).unref());
  await Promise.race([Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect'))), isOthers]);
  return {
    port,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await ended;
    },
  };
}
