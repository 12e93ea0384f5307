/** The front ends that the WebSocket tests run against. */

/** One line for each. */
export const WEB_SOCKET_FRONT_ENDS = ['uws', 'native'] as const;

export type WebSocketFrontEnd = (typeof WEB_SOCKET_FRONT_ENDS)[number];
