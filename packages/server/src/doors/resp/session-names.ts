/** What is wrong with a name that a client gives itself, or its library. */
export function nameProblem(what: string, name: string): string | undefined {
  if (/^[\x21-\x7e]*$/u.test(name) && name.length <= nameLengthMax) return undefined;
  return `ERR ${what} cannot contain spaces, newlines or special characters.`;
}

const nameLengthMax = 256;
