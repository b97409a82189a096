/** Redis prints so many digits after the point. */
const decimalsMax = 17;
/** Longer texts are no numbers to Redis. */
const textLengthMax = 255;
/** What a long double of the usual machines can hold. */
const exponentMax = 4932;

export type DecimalSum =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

/** A number as `digits` · 10 ^ −`scale`. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/**
 * Adds two decimal numbers exactly, where Redis adds long doubles: so `0.1` and `0.2` are `0.3`.
 * The sum has at most 17 digits after the point, cut like theirs are rounded.
 */
export function addDecimals(left: string, right: string): DecimalSum {
  const first = decimalOf(left);
  const second = decimalOf(right);
  if (first === undefined || second === undefined) {
    return { ok: false, problem: "ERR value is not a valid float" };
  }
  if (first === "infinite" || second === "infinite") {
    return { ok: false, problem: "ERR increment would produce NaN or Infinity" };
  }
  const scale = Math.max(first.scale, second.scale);
  const digits = scaled(first, scale) + scaled(second, scale);
  return { ok: true, text: textOf(rounded({ digits, scale })) };
}

function decimalOf(text: string): Decimal | "infinite" | undefined {
  if (text.length > textLengthMax) return undefined;
  if (/^[+-]?inf(?:inity)?$/iu.test(text)) return "infinite";
  const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?$/u.exec(text);
  const [, sign = "", whole = "", fraction = "", power = "0"] = parts ?? [];
  if (parts === null || whole.length + fraction.length === 0) return undefined;
  const exponent = Number(power);
  if (Math.abs(exponent) > exponentMax) return undefined;
  const digits = BigInt(`${whole}${fraction}`) * (sign === "-" ? -1n : 1n);
  const scale = fraction.length - exponent;
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

function scaled({ digits, scale }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - scale);
}

function rounded({ digits, scale }: Decimal): Decimal {
  if (scale <= decimalsMax) return { digits, scale };
  const unit = 10n ** BigInt(scale - decimalsMax);
  const whole = digits / unit;
  const rest = digits % unit;
  const twice = rest < 0n ? -2n * rest : 2n * rest;
  // A half goes to the even digit, as wherever floats are printed: so that what was added can be
  // taken away again.
  const isUp = twice > unit || (twice === unit && whole % 2n !== 0n);
  const step = digits < 0n ? -1n : 1n;
  return { digits: isUp ? whole + step : whole, scale: decimalsMax };
}

function textOf({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? "-" : "";
  const all = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  const whole = all.slice(0, all.length - scale);
  const fraction = all.slice(all.length - scale).replace(/0+$/u, "");
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}
