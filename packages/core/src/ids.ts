declare const brand: unique symbol;

/** A string that means one thing: two kinds of id cannot be confused at compile time. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A node's configured name, such as `n1`: `[a-z0-9._-]{1,64}`. It outlives its directory. */
export type NodeId = Branded<"NodeId">;

/**
 * What mints dots: one *storage lifetime* of one node, as 16 lower-case hex digits (8 random
 * bytes). Never a node id and never reused: a clock entry (actor, n) claims "seen all dots of this
 * actor up to n on this key", so whoever may have lost records must mint under a new actor.
 */
export type ActorId = Branded<"ActorId">;

/** `host:port` of a node's peer door; in simulation, any name. */
export type PeerAddress = Branded<"PeerAddress">;

/** A client's 16 random bytes naming one write, as 32 lower-case hex digits. */
export type WriteId = Branded<"WriteId">;

const NODE_ID = /^[a-z0-9._-]{1,64}$/u;
const ACTOR_ID = /^[0-9a-f]{16}$/u;
const WRITE_ID = /^[0-9a-f]{32}$/u;

/** Returns the node id, or `undefined` when `text` is not one. */
export function parseNodeId(text: string): NodeId | undefined {
  return NODE_ID.test(text) ? (text as NodeId) : undefined;
}

/** Returns the actor id, or `undefined` when `text` is not 16 lower-case hex digits. */
export function parseActorId(text: string): ActorId | undefined {
  return ACTOR_ID.test(text) ? (text as ActorId) : undefined;
}

/** Returns the write id, or `undefined` when `text` is not 32 lower-case hex digits. */
export function parseWriteId(text: string): WriteId | undefined {
  return WRITE_ID.test(text) ? (text as WriteId) : undefined;
}
