#!/usr/bin/env node
/** The command `sluice`: reads the command line, runs one command, exits with its code. */
import { readFileSync } from 'node:fs';
import { parseArguments } from './arguments.js';
import type { RunSurroundings } from './run.js';
import { helpText, usageErrorText } from './usage.js';

const STANDARD_ERROR = 2;
const OK = 0;
const BAD_INPUT = 1;

/** Each command loads what it needs: who looks at a running proxy needs neither engine nor workers, and a proxy none of the rest. */
async function main(words: readonly string[]): Promise<number> {
  const command = parseArguments(words);
  // A reader that closed its end (`sluice demo | head`) is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  switch (command.kind) {
    case 'run': {
      const { runProxy } = await import('./run.js');
      return runProxy(command, await surroundings());
    }
    case 'demo': {
      const { runDemo } = await import('./demo.js');
      return runDemo(command, await surroundings());
    }
    case 'bench': {
      const { runBench } = await import('./bench.js');
      return runBench(command, process);
    }
    case 'terminal': {
      const { runTerminal } = await import('./terminal/terminal.js');
      return runTerminal(command);
    }
    case 'check': {
      const { runCheck } = await import('./check.js');
      return runCheck(command, await surroundings());
    }
    case 'help':
      process.stdout.write(helpText(command.command));
      return OK;
    case 'version': {
      const [{ versionText }, { loadEngine }] = await Promise.all([
        import('./version.js'),
        import('../engine/load-engine.js'),
      ]);
      process.stdout.write(versionText(loadEngine));
      return OK;
    }
    case 'usage-error':
      process.stderr.write(usageErrorText(command.command, command.problems));
      return BAD_INPUT;
  }
}

async function surroundings(): Promise<RunSurroundings> {
  const [{ readMachine }, { loadEngine }, { openLogSink }] = await Promise.all([
    import('../config/machine.js'),
    import('../engine/load-engine.js'),
    import('../observability/log-sink.js'),
  ]);
  return {
    out: process.stdout,
    err: process.stderr,
    environment: process.env,
    readFile: (path) => readFileSync(path),
    machine: readMachine((path) => readFileSync(path, 'utf8')),
    loadAddon: loadEngine,
    workerEntry: new URL('../worker/entry.js', import.meta.url),
    openSink: () => openLogSink(STANDARD_ERROR, process.stderr.isTTY === true),
  };
}

// Not `exitCode`: threads that a second signal left running must not hold the process.
process.exit(await main(process.argv.slice(2)));
