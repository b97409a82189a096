// The process of a generator: carries out the orders of its parent, one at a time.
import { setCollectorFlags } from "@coterie/server";
import { Generator } from "./generator.ts";
import type { GeneratorInput, Order, RunResult } from "./plan.ts";

// While this process stood still, it would be the servers that are slow.
setCollectorFlags();

const input = JSON.parse(process.argv[2] ?? "{}") as GeneratorInput;
const generator = new Generator(input);

process.on("message", (order: Order) => {
  void carryOut(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: (error as Error).stack ?? String(error) }),
  );
});
process.on("disconnect", () => {
  void generator.close().finally(() => process.exit());
});

async function carryOut(order: Order): Promise<RunResult | number> {
  if (order.order === "run") return generator.run(order);
  if (order.order === "fill") return generator.fill(order.from, order.to);
  if (order.order === "use") generator.use(order);
  else await generator.connect(order.driver, order.connections);
  return 0;
}
