// What a promise rejects with; one that does not is a failed test.

export interface Failure {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly option?: string
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error as Failure
  }
  throw new Error(`nothing failed; it gave ${JSON.stringify(value)}`)
}
