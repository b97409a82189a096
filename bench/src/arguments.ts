import { InvalidArgumentError } from "commander";

/** A number of a command line that is above 0. */
export function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError("It takes a number above 0.");
  return number;
}

/** A count of a command line. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("It takes a whole number above 0.");
}

/** Counts, by commas. */
export function wholeNumbers(text: string): readonly number[] {
  return text.split(",").map(wholeNumber);
}
