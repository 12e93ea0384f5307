/** Asks one agent once: connects, reads one line, and closes. */
import { connect } from 'node:net';
import { connectTarget } from '../health/probe.js';
import { MOST_ANSWER_BYTES } from './agent-answer.js';

/** The line, or why there is none in a few words. */
export type AgentResponse =
  | { readonly ok: true; readonly line: string }
  | { readonly ok: false; readonly reason: string };

/** Where an agent listens. */
export interface AgentTarget {
  readonly host: string;
  readonly port: number;
}

/** Asks an agent. Never rejects. */
export type AskAgent = (target: AgentTarget, timeoutMs: number) => Promise<AgentResponse>;

/** The machine that an endpoint on a UNIX socket runs on. */
const THIS_MACHINE = '127.0.0.1';

/**
 * The agent beside an endpoint: on the endpoint's host, with a port of its own. Pure.
 *
 * @param address as the engine takes it: 'a.b.c.d:port', '[v6]:port' or 'unix:/path'
 */
export function agentTarget(address: string, port: number): AgentTarget {
  const target = connectTarget(address);
  return { host: 'host' in target ? target.host : THIS_MACHINE, port };
}

/**
 * Reads what the agent sends up to the first end of a line, or up to its close. An agent says its line unasked, as soon as it is connected
 * to. The timeout covers everything. Thread: primary.
 */
export const askAgent: AskAgent = (target, timeoutMs) =>
  new Promise((resolve) => {
    const socket = connect(target);
    let text = '';
    const timer = setTimeout(() => end({ ok: false, reason: `no answer within ${timeoutMs} ms` }), timeoutMs);
    const end = (response: AgentResponse): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(response); // without effect after the first one
    };
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      text += piece;
      const line = /^[^\r\n]*(?=[\r\n])/.exec(text)?.[0];
      if (line !== undefined && line.length <= MOST_ANSWER_BYTES) end({ ok: true, line });
      else if (text.length > MOST_ANSWER_BYTES)
        end({ ok: false, reason: `no end of line in ${MOST_ANSWER_BYTES} bytes` });
    });
    socket.once('end', () =>
      end(text === '' ? { ok: false, reason: 'it closed without a word' } : { ok: true, line: text }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => end({ ok: false, reason: error.code ?? error.message }));
  });
