/** No proxy: the load goes straight to the endpoint. What the machine can do at all, and what to take off its busy time. */
export const direct = { name: 'direct', layer: 'both', isDirect: true, isHere: () => true };
