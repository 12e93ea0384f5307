/** Many clients in a process of their own, which has its own limit of open files: they connect, hold on, and speak when told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

/** What the clients have seen so far. */
export interface HoldingCounts {
  /** Connected, and not ended by the other side. */
  readonly open: number;
  readonly connected: number;
  /** Ended or reset by the other side, or never connected. */
  readonly lost: number;
  /** How often by error code, or 'end'. */
  readonly losses: Readonly<Record<string, number>>;
  /** Bytes that came back. */
  readonly receivedBytes: number;
}

/** Always `close` it. */
export interface HoldingClients {
  readonly child: ChildProcess;
  /** Opens so many more; resolves when all of them have been connected or refused. */
  open(count: number): Promise<HoldingCounts>;
  /** Every open client says its text once. @returns once a reply for each has come, or the client was lost */
  ping(): Promise<HoldingCounts>;
  counts(): Promise<HoldingCounts>;
  /** Ends so many of them (FIN); resolves when the other side has ended, too. */
  end(count: number): Promise<HoldingCounts>;
  close(): Promise<void>;
}

const CLIENTS = `
  const { connect } = require('node:net');
  const { port, host, greeting, ...words } = JSON.parse(process.argv[1]);
  const [text, replyBytes] = [Buffer.from(words.text, 'base64'), words.replyBytes];
  const sockets = new Set();
  const counts = { open: 0, connected: 0, lost: 0, losses: {}, receivedBytes: 0 };
  let awaited = [];
  const look = () => { awaited = awaited.filter(({ isDone, tell }) => !isDone() || tell()); };
  const until = (isDone) => new Promise((resolve) => { awaited.push({ isDone, tell: () => void resolve() }); look(); });
  const openOne = () => {
    const socket = connect({ port, host, noDelay: true });
    let isOver = false;
    const over = (how) => {
      if (isOver) return;
      isOver = true;
      if (sockets.delete(socket)) counts.open--;
      if (!socket.isLeaving || how !== 'end') {
        counts.lost++;
        counts.losses[how] = (counts.losses[how] ?? 0) + 1;
      }
      socket.destroy();
      look();
    };
    const isIn = () => { sockets.add(socket); counts.open++; counts.connected++; look(); };
    let head = greeting === '' ? null : '';
    socket.on('connect', () => { if (head === null) isIn(); else socket.write(greeting); });
    socket.on('data', (chunk) => {
      if (head === null) { counts.receivedBytes += chunk.length; return look(); }
      head += chunk.toString('latin1');
      if (!head.endsWith('\\r\\n\\r\\n')) return;
      if (head.startsWith('HTTP/1.1 101')) { head = null; isIn(); } else over(head.slice(0, 12));
    });
    socket.on('end', () => over('end'));
    socket.on('error', (error) => over(error.code));
    socket.on('close', () => over('close'));
  };
  const acts = {
    // In waves: more than the backlog of a listener would wait for a second before the kernel tries again.
    open: async (count) => {
      for (let done = 0; done < count; done += 100) {
        const wave = Math.min(100, count - done);
        const goal = counts.connected + counts.lost + wave;
        for (let index = 0; index < wave; index++) openOne();
        await until(() => counts.connected + counts.lost >= goal);
      }
    },
    ping: async () => {
      const asked = [...sockets];
      while (asked.length > 0) {
        const [before, lostBefore] = [counts.receivedBytes, counts.lost];
        const wave = asked.splice(0, 500);
        for (const socket of wave) socket.write(text);
        await until(() => (counts.receivedBytes - before) / replyBytes + counts.lost - lostBefore >= wave.length);
      }
    },
    counts: async () => {},
    end: async (count) => {
      const leaving = [...sockets].slice(0, count);
      for (const socket of leaving) { socket.isLeaving = true; socket.end(); }
      await until(() => leaving.every((socket) => !sockets.has(socket)));
    },
  };
  require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
    const [act, count] = line.split(' ');
    await acts[act](Number(count));
    process.stdout.write(JSON.stringify(counts) + '\\n');
  }).on('close', () => process.exit(0));
`;

/** What each client says when it is told to speak. */
interface Words {
  /** An address of the proxy. */
  readonly host?: string;
  readonly text?: string | Buffer;
  /** A request that each begins with, to be answered with 101: it counts as connected from there on. */
  readonly greeting?: string;
  /** Of what comes back for it. */
  readonly replyBytes?: number;
}

/** @param words 127.0.0.1, and a byte for a byte, by default */
export function startHoldingClients(port: number, words: Words = {}): HoldingClients {
  const { host = '127.0.0.1', text = '!', greeting = '', replyBytes = 1 } = words;
  const said = { port, host, text: Buffer.from(text).toString('base64'), greeting, replyBytes };
  const child = spawn(process.execPath, ['-e', CLIENTS, JSON.stringify(said)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child as ChildProcess & {
    stdin: NodeJS.WritableStream;
    stdout: NodeJS.ReadableStream;
  };
  const answers: Interface = createInterface({ input: stdout });
  const ended = once(child, 'close');
  const ask = async (line: string): Promise<HoldingCounts> => {
    const answer = Promise.race([
      once(answers, 'line'),
      ended.then(() => Promise.reject(new Error(`the clients have ended at "${line}"`))),
    ]);
    stdin.write(`${line}\n`);
    const [text] = (await answer) as [string];
    return JSON.parse(text) as HoldingCounts;
  };
  return {
    child,
    open: (count) => ask(`open ${count}`),
    ping: () => ask('ping'),
    counts: () => ask('counts'),
    end: (count) => ask(`end ${count}`),
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
