// Text as the man macros of roff take it. Knows nothing of tsgre.

const WIDTH = 80

/** Running text, in lines that are not too long for the source. */
export function prose(text: string): string {
  const lines: string[] = ['']
  for (const word of roff(text).split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trimStart()
    if (longer.length <= WIDTH) lines[lines.length - 1] = longer
    else lines.push(word.startsWith('.') ? `\\&${word}` : word)
  }
  return lines.join('\n')
}

/** Plain words: no character of theirs is taken for roff's. */
export function roff(text: string): string {
  const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/'/g, '\\(aq').replace(/`/g, '\\(ga')
  const ascii = escaped.replace(
    /[^\n -~]/gu,
    (letter) => `\\[u${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
  )
  return ascii.replace(/^\./gm, '\\&.').replace(/\^/g, '\\(ha').replace(/~/g, '\\(ti')
}

export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`
}

export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`
}

export function heading(text: string): string {
  return `.SH ${text.toUpperCase()}`
}

export function subheading(text: string): string {
  return `.SS ${roff(text)}`
}

/** What stands out to the left (roff already), and what is said of it. */
export function item(tag: string, text: string): string {
  return `.TP\n${tag}\n${text}`
}

/** As it stands, line by line, indented. */
export function listing(text: string): string {
  return `.PP\n.RS 4\n.nf\n${roff(text)}\n.fi\n.RE`
}
