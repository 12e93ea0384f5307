#!/usr/bin/env node
/** The command `sluice`: reads the command line, runs one command, exits with its code. */
import { readFileSync } from 'node:fs';
import { readMachine } from '../config/machine.js';
import { ExitCode } from '../control/start-failure.js';
import { loadEngine } from '../engine/load-engine.js';
import { openLogSink } from '../observability/log-sink.js';
import { parseArguments } from './arguments.js';
import { runCheck } from './check.js';
import { runDemo } from './demo.js';
import { type RunSurroundings, runProxy } from './run.js';
import { helpText, usageErrorText } from './usage.js';
import { versionText } from './version.js';

const STANDARD_ERROR = 2;

async function main(words: readonly string[]): Promise<number> {
  const command = parseArguments(words);
  // A reader that closed its end (`sluice demo | head`) is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const surroundings = (): RunSurroundings => ({
    out: process.stdout,
    err: process.stderr,
    environment: process.env,
    readFile: (path) => readFileSync(path),
    machine: readMachine((path) => readFileSync(path, 'utf8')),
    loadAddon: loadEngine,
    workerEntry: new URL('../worker/entry.js', import.meta.url),
    openSink: () => openLogSink(STANDARD_ERROR, process.stderr.isTTY === true),
  });
  switch (command.kind) {
    case 'run':
      return runProxy(command, surroundings());
    case 'demo':
      return runDemo(command, surroundings());
    case 'bench': {
      // What it needs is of no use to a proxy: it would only be kept in its memory.
      const { runBench } = await import('./bench.js');
      return runBench(command, process);
    }
    case 'check':
      return runCheck(command, surroundings());
    case 'help':
      process.stdout.write(helpText(command.command));
      return ExitCode.OK;
    case 'version':
      process.stdout.write(versionText(loadEngine));
      return ExitCode.OK;
    case 'usage-error':
      process.stderr.write(usageErrorText(command.command, command.problems));
      return ExitCode.BAD_INPUT;
  }
}

// Not `exitCode`: threads that a second signal left running must not hold the process.
process.exit(await main(process.argv.slice(2)));
