export { runBench } from "./command.ts";
