/** A network for chaos runs: each endpoint in a network namespace of its own, behind a link that can lose, delay, cut and reset. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findProgram, runProgram } from '../harness/programs.js';

/** Where one endpoint lives. */
interface Room {
  readonly namespace: string;
  /** Our end of its link. */
  readonly device: string;
  readonly host: string;
}

const COMMAND_MS = 5_000;
/** Benchmarks of network devices (RFC 2544) have these addresses: nobody routes them. 198.18.N.0/24, four addresses for each room. */
const NETWORK = '198.18';
const INNER_DEVICE = 'eth0';
const TABLE = 'sluice_chaos';

/** @returns why this machine cannot have such a network; null: it can */
export function networkHindrance(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const [program, packageName] of [
    ['ip', 'iproute2'],
    ['tc', 'iproute2'],
    ['nft', 'nftables'],
  ] as const)
    if (findProgram(program, packageName) === undefined) return `${program} is not installed`;
  const name = `sluice-probe-${process.pid}`;
  const added = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (added.status !== 0) return `no network namespace can be made: ${added.stderr.trim()}`;
  const ruled = spawnSync('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'inet', TABLE], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'delete', name]);
  return ruled.status === 0 ? null : `nftables does not work here: ${ruled.stderr.trim()}`;
}

/** Always `close` it; it is also taken down when this process exits. */
export class Network {
  /** Can the kernel delay packets by itself (tc netem)? Where not, a link that is too slow for its load delays them. */
  #hasNetem = false;
  readonly #closeNow = (): void => {
    for (const { namespace, device } of this.rooms) {
      spawnSync('ip', ['netns', 'delete', namespace]);
      spawnSync('ip', ['link', 'delete', device]);
    }
  };

  private constructor(private readonly rooms: readonly Room[]) {}

  static async create(count: number): Promise<Network> {
    sweep();
    // Two runs at the same time have other processes, hence other names and most likely another net.
    const net = process.pid % 256;
    const rooms = Array.from({ length: count }, (_, index) => ({
      namespace: `sluice-chaos-${process.pid}-${index}`,
      device: `slc${process.pid.toString(36)}x${index}`,
      host: `${NETWORK}.${net}.${4 * index + 2}`,
    }));
    const network = new Network(rooms);
    process.once('exit', network.#closeNow);
    try {
      for (const [index, room] of rooms.entries()) await network.#build(room, `${NETWORK}.${net}.${4 * index + 1}`);
      network.#hasNetem = await network.#tryNetem();
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  get hasNetem(): boolean {
    return this.#hasNetem;
  }

  /** Address of the room. */
  hostOf(index: number): string {
    return this.#room(index).host;
  }

  /** Words in front of a command that runs in the room. */
  wrapOf(index: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#room(index).namespace];
  }

  /** Nothing comes through any more, without a word to either side. */
  async cut(index: number): Promise<void> {
    await this.#rule(index, 'drop');
  }

  /** One packet in so many is lost, in each direction. */
  async lose(index: number, oneIn: number): Promise<void> {
    await this.#rule(index, `numgen random mod ${oneIn} == 0 drop`);
  }

  /** Each packet that comes in is answered with a reset, as by a firewall that has forgotten its connections. */
  async reset(index: number): Promise<void> {
    await this.#rule(index, 'meta l4proto tcp reject with tcp reset', ['input']);
  }

  /** The room's own link goes down: what happens to its processes meanwhile, nobody outside learns. */
  async unplug(index: number): Promise<void> {
    await this.#inside(index, 'ip', 'link', 'set', INNER_DEVICE, 'down');
  }

  async plug(index: number): Promise<void> {
    await this.#inside(index, 'ip', 'link', 'set', INNER_DEVICE, 'up');
  }

  /** Everything that the room sends arrives later. @returns how that is done, for the report */
  async delay(index: number, delayMs: number): Promise<string> {
    const add = ['tc', 'qdisc', 'add', 'dev', INNER_DEVICE, 'root'];
    if (this.#hasNetem) await this.#inside(index, ...add, 'netem', 'delay', `${delayMs}ms`);
    // Its queue is so long that nothing is lost, only late.
    else await this.#inside(index, ...add, 'tbf', 'rate', '600kbit', 'burst', '4kb', 'latency', '2s');
    return this.#hasNetem ? `netem, ${delayMs} ms` : 'a link of 600 kbit/s (tbf): this kernel has no netem';
  }

  /** Takes back all that was done to the room's link. */
  async heal(index: number): Promise<void> {
    const { namespace } = this.#room(index);
    // None of these need be there.
    spawnSync('ip', ['netns', 'exec', namespace, 'nft', 'delete', 'table', 'inet', TABLE]);
    spawnSync('ip', ['netns', 'exec', namespace, 'tc', 'qdisc', 'delete', 'dev', INNER_DEVICE, 'root']);
    await this.plug(index);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    process.off('exit', this.#closeNow);
    this.#closeNow();
  }

  #room(index: number): Room {
    const room = this.rooms[index];
    if (room === undefined) throw new Error(`there is no room ${index}`);
    return room;
  }

  async #build({ namespace, device, host }: Room, ourHost: string): Promise<void> {
    const ip = (...words: string[]): Promise<string> => runProgram('ip', words, COMMAND_MS);
    await ip('netns', 'add', namespace);
    await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', INNER_DEVICE, 'netns', namespace);
    await ip('address', 'add', `${ourHost}/30`, 'dev', device);
    await ip('link', 'set', device, 'up');
    await ip('-n', namespace, 'address', 'add', `${host}/30`, 'dev', INNER_DEVICE);
    await ip('-n', namespace, 'link', 'set', INNER_DEVICE, 'up');
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }

  async #tryNetem(): Promise<boolean> {
    const words = ['tc', 'qdisc', 'add', 'dev', INNER_DEVICE, 'root', 'netem', 'delay', '1ms'];
    const tried = spawnSync('ip', ['netns', 'exec', this.#room(0).namespace, ...words]);
    await this.heal(0);
    return tried.status === 0;
  }

  /** One rule for all packets that come to the room or leave it. */
  async #rule(
    index: number,
    rule: string,
    hooks: readonly ('input' | 'output')[] = ['input', 'output'],
  ): Promise<void> {
    const chains = hooks.map((hook) => `chain ${hook} { type filter hook ${hook} priority 0; ${rule}; }`);
    await this.#inside(index, 'nft', [`table inet ${TABLE} {`, ...chains, '}'].join('\n'));
  }

  async #inside(index: number, ...command: string[]): Promise<void> {
    await runProgram('ip', ['netns', 'exec', this.#room(index).namespace, ...command], COMMAND_MS);
  }
}

/** Takes down what runs have left that were ended by force (SIGKILL): links go with their namespaces. */
function sweep(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [name, pid] of stdout.matchAll(/^sluice-chaos-(\d+)-\d+/gm))
    if (!existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'delete', name]);
}
