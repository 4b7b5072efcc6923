// Which octets the record of a number has, for a thread that writes records and another that checks them.

/** Lengths of its two parts. Octet i of both together is the number plus i. */
export function patternOf(number: number): { first: number; second: number } {
  const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 0
  return { first: mixed % 5 === 0 ? mixed % 200 : 0, second: mixed % 97 === 0 ? mixed % 30_000 : mixed % 1600 }
}
