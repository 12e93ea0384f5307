/** The memory under the figures of one worker: allocated by the primary, written by that worker, read by whoever adds up. */
import { invariant } from '../core/invariant.js';
import { type FigureCapacities, type FiguresLayout, figuresLayoutFor } from './figures-layout.js';

/** The memory with its layout and the views that are needed. */
export interface MappedFigures {
  readonly buffer: SharedArrayBuffer;
  readonly layout: FiguresLayout;
  readonly int32: Int32Array<SharedArrayBuffer>;
  readonly float64: Float64Array<SharedArrayBuffer>;
}

/**
 * Zeroed memory for one worker. All is virtual until it is written, so that room for much costs nothing. It has one writer, so that it need
 * not begin on a line as the board does. Thread: primary.
 *
 * @throws RangeError when the system has no such memory
 */
export function allocateFigures(capacities: FigureCapacities): SharedArrayBuffer {
  return new SharedArrayBuffer(figuresLayoutFor(capacities).bytes);
}

/**
 * Thread: any.
 *
 * @throws Error (invariant) when the memory was made for other capacities
 */
export function mapFigures(buffer: SharedArrayBuffer, capacities: FigureCapacities): MappedFigures {
  const layout = figuresLayoutFor(capacities);
  invariant(
    buffer.byteLength === layout.bytes,
    `the memory of figures has ${layout.bytes} bytes, as the board's capacities need (found ${buffer.byteLength})`,
  );
  return { buffer, layout, int32: new Int32Array(buffer), float64: new Float64Array(buffer) };
}
