/** A page's code as one program, and what it says that it prints. */
export interface GuideProgram {
  /** A module that exports `run(print)`; `print` gets the line of the page and the values. */
  readonly source: string;
  /** By line of the page: what its `console.log` prints. */
  readonly expected: ReadonlyMap<number, string>;
}

/**
 * Makes one program of all `ts` blocks of a page, in their order. Every `console.log` must say in a
 * comment what it prints.
 * @param replacements literal parts of the page and what stands in for them, such as addresses.
 */
export function guideProgram(
  page: string,
  replacements: Readonly<Record<string, string>>,
): GuideProgram {
  const imports: string[] = [];
  const body: string[] = [];
  const expected = new Map<number, string>();
  let isCode = false;
  for (const [at, raw] of page.split("\n").entries()) {
    if (raw.startsWith("```")) {
      isCode = raw === "```ts";
      continue;
    }
    if (!isCode) continue;
    const number = at + 1;
    let line = raw;
    for (const [part, other] of Object.entries(replacements)) line = line.replace(part, other);
    const printed = /console\.log\(.*\);(?:\s+\/\/ (.*))?$/u.exec(line);
    if (printed !== null) {
      if (printed[1] === undefined) throw new Error(`line ${number} does not say what it prints`);
      expected.set(number, printed[1]);
      line = line.replace("console.log(", `print(${number}, `);
    }
    (line.startsWith("import ") ? imports : body).push(line);
  }
  const head = "export async function run(print: (line: number, ...values: unknown[]) => void) {";
  return { source: [...imports, head, ...body, "}", ""].join("\n"), expected };
}
