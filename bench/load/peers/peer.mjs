/** What a candidate is, and how its published configuration becomes a file of this run. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} PeerOptions
 * @property {import('../processes.mjs').Programs} programs
 * @property {number} port where to listen, on 127.0.0.1
 * @property {readonly number[]} endpointPorts
 * @property {number} workers threads or processes, one for each processor that the proxy has
 * @property {import('../scenarios/scenario.mjs').Scenario} scenario
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {'l4' | 'l7'} layer
 * @property {string} hint how to get it
 * @property {() => boolean} isHere
 * @property {boolean} [hasTls] it can be asked over TLS and HTTP/2
 * @property {boolean} [isDirect] no proxy at all: the endpoint itself
 * @property {(options: PeerOptions) => { command: string, args: string[], cwd?: string, env?: Record<string, string> }} command
 */

/** Fills in a configuration: {{name}} becomes a value. @returns {string} path of the file @throws Error when it wants one that is not there */
export function configFile(programs, template, values) {
  const text = readFileSync(template, 'utf8').replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`${fileURLToPath(template)} wants a value for ${name}`);
    return String(values[name]);
  });
  return programs.file(`${values.port}-${basename(fileURLToPath(template))}`, text);
}

/** A peer that is a Node program of this folder: arguments are its port and the endpoints' ports. @param {string} name @param {string} script @returns {Peer} */
export function nodePeer(name, script) {
  return {
    name,
    layer: 'l7',
    isHere: () => true,
    hint: 'npm install',
    command: ({ port, endpointPorts }) => ({
      command: process.execPath,
      args: [fileURLToPath(new URL(script, import.meta.url)), String(port), ...endpointPorts.map(String)],
    }),
  };
}
