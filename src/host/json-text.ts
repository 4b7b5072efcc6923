// A strict JSON reader (RFC 8259) that knows where things stand: for editing a file in place, so that what is not ours
// keeps every byte, and for naming line and column of a mistake. Only the top level is remembered, the rest is checked.

/** A member of the outermost object; offsets into the text, ends exclusive. */
export interface Member {
  readonly key: string
  readonly value: unknown
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

export interface ObjectText {
  readonly members: readonly Member[]
  /** Of the opening and of the closing brace. */
  readonly open: number
  readonly close: number
}

/** Why the text is not one JSON object, and where (both counted from 1). */
export class JsonMistake extends Error {
  readonly line: number
  readonly column: number

  constructor(text: string, offset: number, why: string) {
    super(why)
    const before = text.slice(0, offset).split('\n')
    this.line = before.length
    this.column = before.at(-1)!.length + 1
  }
}

/** @throws JsonMistake */
export function readObject(text: string): ObjectText {
  return new Reader(text).document()
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON refuses just these inside a string
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y
const WORD = /true|false|null/y
const BLANK = /[ \t\r\n]*/y

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): ObjectText {
    if (this.#text.startsWith('\ufeff')) this.#fail('a byte order mark; save the file as plain UTF-8')
    this.#blank()
    if (this.#next() !== '{')
      this.#fail(this.#ended() ? 'the file ends where an object should begin' : this.#noObject())
    const object = this.#object()
    this.#blank()
    if (!this.#ended()) this.#fail('something follows the closing brace')
    return object
  }

  #object(): ObjectText {
    const open = this.#at++
    const members: Member[] = []
    this.#list('}', () => members.push(this.#member()))
    return { members, open, close: this.#at - 1 }
  }

  #member(): Member {
    const start = this.#at
    if (this.#next() !== '"') this.#fail(this.#unexpected('a key in double quotes'))
    const key = JSON.parse(this.#string()) as string
    this.#blank()
    if (this.#next() !== ':') this.#fail(this.#unexpected(`":" after the key "${key}"`))
    this.#at++
    this.#blank()
    const valueStart = this.#at
    this.#value()
    const value: unknown = JSON.parse(this.#text.slice(valueStart, this.#at))
    return { key, value, start, valueStart, end: this.#at }
  }

  #value(): void {
    const first = this.#next()
    if (first === '{') this.#object()
    else if (first === '[') this.#array()
    else if (first === '"') this.#string()
    else if (!this.#take(NUMBER) && !this.#take(WORD)) this.#fail(this.#unexpected('a value'))
  }

  #array(): void {
    this.#at++
    this.#list(']', () => this.#value())
  }

  /** Items between commas up to `closing`, which is taken too. */
  #list(closing: string, item: () => void): void {
    this.#blank()
    if (this.#next() === closing) {
      this.#at++
      return
    }
    for (;;) {
      item()
      this.#blank()
      const next = this.#next()
      const comma = this.#at++
      if (next === closing) return
      this.#at = comma
      if (next !== ',') this.#fail(this.#unexpected(`"," or "${closing}"`))
      this.#at++
      this.#blank()
      if (this.#next() !== closing) continue
      this.#at = comma
      this.#fail(`a comma with nothing after it before "${closing}"; take the comma away`)
    }
  }

  #string(): string {
    return this.#take(STRING) || this.#fail('a text that is not closed on its line, or holds a wrong escape')
  }

  #blank(): void {
    this.#take(BLANK)
  }

  #next(): string {
    return this.#text.charAt(this.#at)
  }

  #ended(): boolean {
    return this.#at >= this.#text.length
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #noObject(): string {
    return this.#isComment() ? COMMENT : 'not a JSON object: dockerd expects { "key": value, … }'
  }

  #unexpected(expected: string): string {
    if (this.#isComment()) return COMMENT
    return this.#ended() ? `the file ends where ${expected} should be` : `"${this.#next()}" where ${expected} should be`
  }

  #isComment(): boolean {
    return /^(?:\/\/|\/\*|#)/.test(this.#text.slice(this.#at, this.#at + 2))
  }

  #fail(why: string): never {
    throw new JsonMistake(this.#text, this.#at, why)
  }
}

const COMMENT = 'a comment, which JSON does not have and dockerd refuses'
