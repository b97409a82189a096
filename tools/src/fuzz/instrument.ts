import { type Node, parse } from "acorn";

/** What the instrumented code says of itself when it is loaded. */
export interface Instrumented {
  readonly code: string;
  /** Counters that the code uses, from the first that it was given. */
  readonly counters: number;
  readonly compares: number;
}

interface Site {
  readonly source: string;
  readonly strings: Set<string>;
  readonly numbers: Set<number>;
  nextCounter: number;
  nextCompare: number;
}

/** Comparisons whose operands are worth looking at, and their numbers for `__fuzzCompare`. */
const operators = new Map([
  ["===", 0],
  ["!==", 1],
  ["<", 2],
  ["<=", 3],
  [">", 4],
  [">=", 5],
]);
const allocators = new Set([
  "Array",
  "ArrayBuffer",
  "Float64Array",
  "Uint16Array",
  "Uint32Array",
  "Uint8Array",
]);
const dictionaryTextMax = 32;

/**
 * Inserts a counter into every block and branch of a module, routes comparisons through
 * `__fuzzCompare`, and lengths of allocations through `__fuzzAllocate`. No line is moved.
 */
export function instrument(
  source: string,
  first: { readonly counter: number; readonly compare: number },
): Instrumented {
  const site: Site = {
    source,
    strings: new Set(),
    numbers: new Set(),
    nextCounter: first.counter,
    nextCompare: first.compare,
  };
  const tree = parse(source, {
    ecmaVersion: "latest",
    sourceType: "module",
    preserveParens: true,
    allowHashBang: true,
  });
  const body = render(site, tree);
  const told = [[...site.strings], [...site.numbers], site.nextCounter];
  return {
    code: `__fuzzModule(${told.map((each) => JSON.stringify(each)).join(",")});${body}`,
    counters: site.nextCounter - first.counter,
    compares: site.nextCompare - first.compare,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function childrenOf(node: Node): Node[] {
  const fields = node as unknown as Fields;
  if (node.type === "Property" && fields["shorthand"] === true) return [fields["value"] as Node];
  return Object.values(fields)
    .flatMap((value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isNode)
    .toSorted((left, right) => left.start - right.start);
}

/** The text of a node, its children rendered. */
function plain(site: Site, node: Node, replace?: (child: Node, text: string) => string): string {
  let text = "";
  let at = node.start;
  for (const child of childrenOf(node)) {
    // Of `export { name }` the parser makes two children in one place.
    if (child.start < at) continue;
    const rendered = render(site, child);
    text += site.source.slice(at, child.start);
    text += replace === undefined ? rendered : replace(child, rendered);
    at = child.end;
  }
  return text + site.source.slice(at, node.end);
}

function count(site: Site): string {
  site.nextCounter += 1;
  return `__fuzzEdges[${site.nextCounter - 1}]++`;
}

function render(site: Site, node: Node): string {
  const fields = node as unknown as Fields;
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return site.source.slice(node.start, node.end);
    case "Literal":
      learn(site, fields["value"]);
      return plain(site, node);
    case "BlockStatement":
      return `{${count(site)};${plain(site, node).slice(1)}`;
    case "SwitchCase": {
      const [consequent] = fields["consequent"] as readonly Node[];
      return plain(site, node, (child, text) =>
        child === consequent ? `${count(site)};${text}` : text,
      );
    }
    case "IfStatement":
      return renderIf(site, node);
    case "ForStatement":
    case "ForOfStatement":
    case "ForInStatement":
    case "WhileStatement":
      return plain(site, node, (child, text) =>
        child === fields["body"] ? `{${count(site)};${text}}` : text,
      );
    case "ConditionalExpression":
      return plain(site, node, (child, text) =>
        child === fields["test"] ? text : `(${count(site)},${text})`,
      );
    case "LogicalExpression":
      return plain(site, node, (child, text) =>
        child === fields["right"] ? `(${count(site)},${text})` : text,
      );
    case "ArrowFunctionExpression":
      return plain(site, node, (child, text) =>
        child === fields["body"] && fields["expression"] === true
          ? `(${count(site)},${text})`
          : text,
      );
    case "BinaryExpression":
      return renderCompare(site, node);
    case "NewExpression":
    case "CallExpression":
      return renderCall(site, node);
    default:
      return plain(site, node);
  }
}

function renderIf(site: Site, node: Node): string {
  const fields = node as unknown as Fields;
  const text = plain(site, node, (child, text) =>
    child === fields["test"] ? text : `{${count(site)};${text}}`,
  );
  return fields["alternate"] === null ? `${text} else {${count(site)}}` : text;
}

function renderCompare(site: Site, node: Node): string {
  const { left, right, operator } = node as unknown as Fields & { left: Node; right: Node };
  const number = operators.get(String(operator));
  if (number === undefined || isUntold(left) || isUntold(right)) return plain(site, node);
  site.nextCompare += 1;
  const operands = `${render(site, left)},${render(site, right)}`;
  return `__fuzzCompare(${site.nextCompare - 1},${number},${operands})`;
}

/** An operand that tells nothing: a type name, undefined, null, true. */
function isUntold(node: Node): boolean {
  const { name, operator, value } = node as unknown as Fields;
  if (node.type === "Identifier") return name === "undefined";
  if (node.type === "UnaryExpression") return operator === "typeof";
  return node.type === "Literal" && (value === null || typeof value === "boolean");
}

function renderCall(site: Site, node: Node): string {
  const { callee, arguments: given } = node as unknown as { callee: Node; arguments: Node[] };
  const [length] = given;
  const isAllocation =
    length !== undefined &&
    length.type !== "SpreadElement" &&
    (node.type === "NewExpression"
      ? allocators.has(String((callee as unknown as Fields)["name"]))
      : site.source.slice(callee.start, callee.end).startsWith("Buffer.alloc"));
  if (!isAllocation) return plain(site, node);
  return plain(site, node, (child, text) => (child === length ? `__fuzzAllocate(${text})` : text));
}

function learn(site: Site, value: unknown): void {
  if (typeof value === "string" && value.length > 0 && value.length <= dictionaryTextMax) {
    site.strings.add(value);
  }
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 8) {
    site.numbers.add(value);
  }
}
