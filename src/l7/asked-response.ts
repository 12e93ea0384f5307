/** A response that is not passed on before the pipeline has said so: what of it has come, kept beyond the batch that brought it. */

/** Made where a status is one that the attempt's profile asks about; rare, so it allocates. Thread: worker. */
export interface AskedResponse {
  /** The engine's number of the attempt it answers. */
  readonly number: number;
  readonly status: number;
  /** Since the attempt began. */
  readonly elapsedUs: number;
  /** As EventField.connectUs. */
  readonly connectUs: number;
  /** Bits of EventFlag. */
  readonly flags: number;
  /** As in RelayedExchange.sendHead. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly totalBytes: number;
}

/** Who passes such a response on. */
export interface AskedResponses<Of> {
  /** To the client, and the rest of it when it comes. */
  passOn(exchange: Of): void;
}
