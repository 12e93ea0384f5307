/** The exchanges of all front ends of a worker: each is made once, and used for one request after the other, of whatever listener. */
import type { L7ListenerPlan } from '../../../config/plan.js';
import type { ResponseRelay } from '../../response-relay.js';
import { UwsExchange } from './uws-exchange.js';
import { WebSocketExchange, type WebSocketSender } from './web-socket-exchange.js';

/** Thread: worker; one for each. */
export class UwsExchanges {
  readonly #relay: ResponseRelay;
  readonly #webSockets: WebSocketSender;
  readonly #all: UwsExchange[] = [];
  readonly #free: UwsExchange[] = [];
  readonly #freeWebSockets: WebSocketExchange[] = [];

  constructor(relay: ResponseRelay, webSockets: WebSocketSender) {
    this.#relay = relay;
    this.#webSockets = webSockets;
  }

  /** One for a request. HOT. @returns null: too many are open */
  take(listener: L7ListenerPlan): UwsExchange | null {
    const exchange = this.#free.pop() ?? this.#make(listener);
    if (exchange !== null) exchange.listener = listener;
    return exchange;
  }

  /** One for a WebSocket. @returns null: too many are open */
  takeWebSocket(listener: L7ListenerPlan): WebSocketExchange | null {
    const exchange = this.#freeWebSockets.pop() ?? this.#makeWebSocket(listener);
    if (exchange !== null) exchange.listener = listener;
    return exchange;
  }

  /** Those that are not over. Cold: looks at all. @param owner as in UwsExchange.owner */
  openOf(owner: object): readonly UwsExchange[] {
    return this.#all.filter((exchange) => exchange.owner === owner && exchange.state !== 'free');
  }

  #make(listener: L7ListenerPlan): UwsExchange | null {
    const relay = this.#relay;
    const made = relay.register((id, engine) => new UwsExchange(id, listener, engine, relay, this.#free));
    if (made !== null) this.#all.push(made);
    return made;
  }

  #makeWebSocket(listener: L7ListenerPlan): WebSocketExchange | null {
    const sender = this.#webSockets;
    const home = this.#freeWebSockets;
    const made = this.#relay.register((id, engine) => new WebSocketExchange(id, listener, engine, sender, home));
    if (made !== null) this.#all.push(made);
    return made;
  }
}
