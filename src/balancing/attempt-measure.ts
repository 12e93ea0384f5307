/** What the ledger measures of the attempts of an upstream: bits, because every attempt carries them. */
import type { PickingPlan } from '../config/picking-plan.js';

/** A response counts up to its last byte, not its first. */
export const TO_LAST_BYTE = 1;
/** Peaks are kept beside the estimate (EndpointLoadTable.peakUs). */
export const WITH_PEAK = 2;
/**
 * The request has a body, which its client sends at its own pace: how long this attempt has been waiting says nothing of the endpoint.
 * Its sample does, since the engine counts it from the end of the body.
 */
export const PACED_BY_CLIENT = 4;
/** The attempt has a place among the probes of its endpoint (ProbeJournal), which its end gives back. */
export const AS_PROBE = 8;
/**
 * Its endpoint was ejected or on trial, and picked in panic: it may tell that the endpoint works as well as a probe may. Not by time alone: clocks
 * of threads are read once for a batch, and what began at the moment of an ejection would undo it.
 */
export const IN_PANIC = 16;
/** Up to the first byte, without peaks. */
export const TO_FIRST_BYTE = 0;

/** The bits for an upstream. */
export function measureOf({ latencyOf, balance }: PickingPlan): number {
  return (latencyOf === 'last-byte' ? TO_LAST_BYTE : 0) | (balance === 'peak-ewma' ? WITH_PEAK : 0);
}
