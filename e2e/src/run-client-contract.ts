import { Coterie } from "@coterie/client";
import { clientPromises } from "./client-contract.ts";

// node run-client-contract.js SCOPE HOST:PORT...: holds the client to its promises under whatever
// Node this is, and prints its version and how many were kept.
const [scope = "", ...nodes] = process.argv.slice(2);
const coterie = new Coterie({ nodes, timeoutMs: 20_000 });
for (const guarantee of clientPromises) {
  await guarantee.run(coterie, `${scope}/${guarantee.promise}/`);
}
await coterie.close();
process.stdout.write(`${process.versions.node} ${clientPromises.length}\n`);
