// Logic of three values, for who reads somebody else's rules: true, false, and undefined for what cannot be told. Pure.

/** undefined: cannot be told. */
export type Truth = boolean | undefined

export function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  return truths.includes(undefined) ? undefined : true
}

export function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true
  return truths.includes(undefined) ? undefined : false
}

export function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth
}
