/** Makes one hand-off of several, each of which takes the places that it knows of what a worker offers. */
import type { ConnectionHandOff } from './supervisor.js';

/** @returns undefined for none: the workers accept for themselves. Thread: primary. */
export function combineHandOffs(handOffs: readonly ConnectionHandOff[]): ConnectionHandOff | undefined {
  if (handOffs.length === 0) return undefined;
  return {
    add: (worker, places) => {
      for (const handOff of handOffs) handOff.add(worker, places);
    },
    remove: (worker) => {
      for (const handOff of handOffs) handOff.remove(worker);
    },
    stop: () => {
      for (const handOff of handOffs) handOff.stop();
    },
  };
}
