/** Puts what was given on the command line into the plain values of a configuration, before they are checked. */
import { LISTEN_ADDRESS, LISTENER_NAME, UPSTREAM_NAME } from './defaults.js';
import { nearestName } from './nearest-name.js';
import { type Path, type PathStep, type Problem, type ProblemSource, pathText } from './problem.js';
import { MODES, type Mode, modeOf } from './schema/mode.js';

/** Values of flags as they were typed; a flag that was not given has no key. */
export interface ConfigFlags {
  readonly mode?: string;
  readonly listen?: readonly string[];
  readonly upstream?: readonly string[];
  readonly balance?: string;
  readonly hashKey?: string;
  readonly workers?: string;
  readonly frontend?: string;
  readonly accept?: string;
  readonly relay?: string;
  readonly admin?: string;
  readonly healthCheck?: string;
  readonly logLevel?: string;
  readonly accessLog?: string;
}

/** Where a merged value comes from: a flag, or another place of the file. */
export type Origin = Extract<ProblemSource, { kind: 'flag' }> | { readonly kind: 'copy'; readonly of: Path };

/** Plain values with the flags in them; `origins` by `pathText`. */
export interface MergedValues {
  readonly value: unknown;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly problems: readonly Problem[];
}

type Section = Record<string, unknown>;

const ENDPOINT_OPTIONS = ['weight', 'backup', 'max-conns'] as const;

/**
 * Merges flags into the plain values of a file; without a file, builds a configuration from the flags alone: one listener for
 * each --listen, one upstream `default` with the --upstream endpoints. Pure: `base` is not changed. Thread: any.
 *
 * @param base plain values of the file, or null without a file
 */
export function mergeFlags(base: unknown, flags: ConfigFlags): MergedValues {
  const merge = new Merge(isSection(base) ? structuredClone(base) : {});
  merge.upstreams(flags, base === null);
  merge.listeners(flags, base === null);
  merge.process(flags);
  return { value: merge.root, origins: merge.origins, problems: merge.problems };
}

class Merge {
  readonly root: Section;
  readonly origins = new Map<string, Origin>();
  readonly problems: Problem[] = [];

  constructor(root: Section) {
    this.root = root;
  }

  upstreams(flags: ConfigFlags, isAlone: boolean): void {
    const texts = flags.upstream ?? [];
    if (texts.length > 0) this.#replaceEndpoints(texts);
    else if (isAlone) {
      this.#problem(
        { kind: 'command-line' },
        'names no upstream and no configuration file',
        'say where requests go: sluice --upstream 127.0.0.1:9001, or sluice -c sluice.yaml; sluice demo needs neither',
      );
      this.root.upstreams = {};
    }
    const upstreams = isSection(this.root.upstreams) ? this.root.upstreams : {};
    for (const [name, upstream] of Object.entries(upstreams)) {
      if (!isSection(upstream)) continue;
      const path = ['upstreams', name];
      this.#set(upstream, path, 'balance', '--balance', flags.balance);
      this.#set(upstream, path, 'hashKey', '--hash-key', flags.hashKey);
      if (flags.healthCheck !== undefined) this.#healthCheck(upstream, path, flags.healthCheck);
    }
  }

  listeners(flags: ConfigFlags, isAlone: boolean): void {
    const { mode } = flags;
    if (mode !== undefined) this.#checkModes(mode);
    const texts = flags.listen ?? [];
    if (texts.length > 0) this.#replaceListeners(texts, '--listen', mode);
    else if (isAlone) this.#replaceListeners([LISTEN_ADDRESS], null, mode);
    this.#setListeners(null, 'accept', '--accept', flags.accept);
    this.#setListeners('l7', 'frontend', '--frontend', flags.frontend);
    this.#setListeners('l4', 'relay', '--relay', flags.relay);
  }

  process(flags: ConfigFlags): void {
    this.#set(
      this.root,
      [],
      'workers',
      '--workers',
      flags.workers === undefined ? undefined : numberOrText(flags.workers),
    );
    if (flags.admin !== undefined) {
      const isOff = flags.admin === 'off';
      this.root.admin = isOff ? 'off' : { ...(isSection(this.root.admin) ? this.root.admin : {}), bind: flags.admin };
      this.#origin(isOff ? ['admin'] : ['admin', 'bind'], '--admin', flags.admin);
    }
    if (flags.logLevel !== undefined) this.#setLog('level', '--log-level', flags.logLevel);
    if (flags.accessLog !== undefined) this.#accessLog(flags.accessLog);
  }

  /** Listeners of a file keep their mode: with another one, hardly a setting of theirs would be valid. */
  #checkModes(mode: string): void {
    const others = this.#listeners().filter(([, listener]) => ![null, mode].includes(modeOf(listener)));
    if (others.length === 0) return;
    const source = flagSource('--mode', mode);
    if (MODES.every((known) => known !== mode)) {
      for (const [path, listener] of others) this.#set(listener, path, 'mode', '--mode', mode);
      return;
    }
    const places = others.map(([path]) => pathText(path)).join(', ');
    this.#problem(
      source,
      `cannot change the mode of listeners of the file: ${places}`,
      'the modes have different settings: change mode and settings in the file, and leave out --mode',
    );
  }

  /** @param mode the mode whose listeners have this key; without one of that mode all get it, and the schema says why it has no place. null: both */
  #setListeners(mode: Mode | null, key: string, flag: string, value: string | undefined): void {
    const all = this.#listeners();
    const fitting = all.filter(([, listener]) => mode === null || modeOf(listener) === mode);
    for (const [path, listener] of fitting.length > 0 ? fitting : all) this.#set(listener, path, key, flag, value);
  }

  #listeners(): readonly (readonly [Path, Section])[] {
    const listeners = Array.isArray(this.root.listeners) ? (this.root.listeners as unknown[]) : [];
    return listeners.flatMap((listener, index) =>
      isSection(listener) ? [[['listeners', index], listener] as const] : [],
    );
  }

  /** What a file says of format and fields stays. */
  #accessLog(value: string): void {
    const isOff = value === 'off';
    this.root.accessLog = isOff
      ? 'off'
      : { ...(isSection(this.root.accessLog) ? this.root.accessLog : {}), file: value };
    this.#origin(isOff ? ['accessLog'] : ['accessLog', 'file'], '--access-log', value);
  }

  #setLog(key: string, flag: string, value: string): void {
    if (!isSection(this.root.log)) this.root.log = {};
    if (isSection(this.root.log)) this.#set(this.root.log, ['log'], key, flag, value);
  }

  #replaceEndpoints(texts: readonly string[]): void {
    const upstreams = isSection(this.root.upstreams) ? this.root.upstreams : {};
    const names = Object.keys(upstreams);
    if (names.length > 1) {
      this.#problem(
        flagSource('--upstream', texts.join(' ')),
        `cannot be combined with a file that has ${names.length} upstreams`,
        `change the endpoints in the file: ${names.join(', ')}`,
      );
      return;
    }
    const name = names[0] ?? UPSTREAM_NAME;
    const path = ['upstreams', name, 'endpoints'];
    this.#origin(path, '--upstream', texts.join(' '));
    const endpoints = texts.map((text, index) => this.#endpoint(text, [...path, index]));
    const upstream = upstreams[name];
    this.root.upstreams = { [name]: { ...(isSection(upstream) ? upstream : {}), endpoints } };
  }

  /** "HOST:PORT[,weight=N][,backup][,max-conns=N]" */
  #endpoint(text: string, path: Path): Section {
    const source = flagSource('--upstream', text);
    this.origins.set(pathText(path), source);
    const [address = '', ...options] = text.split(',');
    const endpoint: Section = { address };
    const given = new Set<string>();
    for (const option of options) {
      const [name = '', ...rest] = option.split('=');
      const value = rest.length > 0 ? rest.join('=') : null;
      if (given.has(name)) {
        this.#problem(source, `has ${name} twice`, 'give each option once');
        continue;
      }
      given.add(name);
      if (name === 'backup')
        endpoint.backup = value === null ? true : value === 'true' ? true : value === 'false' ? false : value;
      else if (name === 'weight' || name === 'max-conns') {
        if (value === null || value === '') this.#problem(source, `has ${name} without a number`, `write ${name}=2`);
        else endpoint[name === 'weight' ? 'weight' : 'maxConns'] = numberOrText(value);
      } else {
        const nearest = nearestName(name, ENDPOINT_OPTIONS);
        const known = 'behind the address may stand weight=N, backup and max-conns=N, with commas between';
        this.#problem(
          source,
          `has the unknown option "${option}"`,
          nearest === null ? known : `did you mean ${nearest}?`,
        );
      }
    }
    return endpoint;
  }

  #replaceListeners(texts: readonly string[], flag: string | null, mode: string | undefined): void {
    const written = this.root.listeners;
    const listeners: unknown[] = Array.isArray(written) ? written : [];
    if (listeners.length > 1) {
      this.#problem(
        flagSource(flag ?? '--listen', texts.join(' ')),
        `cannot be combined with a file that has ${listeners.length} listeners`,
        'change the addresses in the file',
      );
      return;
    }
    const isBuilt = !isSection(listeners[0]);
    const template = isSection(listeners[0]) ? listeners[0] : this.#builtListener(mode);
    const firstName = typeof template.name === 'string' ? template.name : LISTENER_NAME;
    this.root.listeners = texts.map((text, index) => {
      const path = ['listeners', index];
      if (index > 0) {
        this.origins.set(pathText(path), { kind: 'copy', of: ['listeners', 0] });
        if (flag !== null) this.#origin([...path, 'name'], flag, text);
      }
      if (flag !== null) this.#origin([...path, 'bind'], flag, text);
      if (isBuilt && mode !== undefined) this.#origin([...path, 'mode'], '--mode', mode);
      return {
        ...structuredClone(template),
        name: index === 0 ? (template.name ?? firstName) : `${firstName}-${index + 1}`,
        bind: text,
      };
    });
  }

  /** A listener for a command line without one in a file: all requests, or sessions, go to the only upstream. */
  #builtListener(mode: string | undefined): Section {
    const names = isSection(this.root.upstreams) ? Object.keys(this.root.upstreams) : [];
    const target = { upstream: names[0] ?? UPSTREAM_NAME };
    return {
      name: LISTENER_NAME,
      ...(mode === undefined ? {} : { mode }),
      ...(names.length > 1 ? {} : mode === 'l4' ? target : { routes: [target] }),
    };
  }

  /** The thresholds of the file stay; what is probed is replaced. */
  #healthCheck(upstream: Section, path: Path, text: string): void {
    const written = isSection(upstream.healthCheck) ? upstream.healthCheck : {};
    const { path: _path, kind: _kind, service: _service, ...others } = written;
    upstream.healthCheck =
      text === 'off'
        ? 'off'
        : text === 'tcp' || text === 'grpc'
          ? { ...thresholdsOf(written), kind: text }
          : { ...others, path: text };
    for (const key of ['path', 'kind']) this.#origin([...path, 'healthCheck', key], '--health-check', text);
  }

  #set(section: Section, path: Path, key: string, flag: string, value: unknown): void {
    if (value === undefined) return;
    section[key] = value;
    this.#origin([...path, key], flag, String(value));
  }

  #origin(path: Path, flag: string, value: string): void {
    this.origins.set(pathText(path), flagSource(flag, value));
  }

  #problem(source: ProblemSource, sentence: string, hint: string): void {
    this.problems.push({ source, path: '', found: null, sentence, hint });
  }
}

/** What of a check has a meaning without requests. */
function thresholdsOf({
  path: _path,
  kind: _kind,
  method: _method,
  host: _host,
  headers: _headers,
  expect: _expect,
  service: _service,
  ...others
}: Section): Section {
  return others;
}

/** Is this a section: an object with keys, not a list? */
export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flagSource(flag: string, value: string): Extract<ProblemSource, { kind: 'flag' }> {
  return { kind: 'flag', flag, value };
}

/** The command line has text only; what looks like a number is one, and the schema judges it. */
function numberOrText(text: string): PathStep {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
