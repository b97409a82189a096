import { InvalidArgumentError } from "commander";

/** A number of a command line that is above 0. */
export function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError("It takes a number above 0.");
  return number;
}
