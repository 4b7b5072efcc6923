// How a demo speaks: numbered steps, colours on a terminal, an honest end.

const COLOUR = process.stdout.isTTY === true && !process.env.NO_COLOR

function paint(code: number, text: string): string {
  return COLOUR ? `\x1b[${code}m${text}\x1b[0m` : text
}
export const bold = (text: string) => paint(1, text)
export const dim = (text: string) => paint(2, text)
export const green = (text: string) => paint(32, text)

export function say(text = ''): void {
  console.log(text.replace(/^(?=.)/gm, '   '))
}

let steps = 0
let doing = 'the very start'

export function step(title: string): void {
  doing = title
  console.log(`\n${bold(`${++steps}  ${title}`)}`)
}

export function must(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise)
}

/** Runs a demo. The exit code is 0 only if all of it happened. */
export async function tell(demo: () => Promise<void>, lastWords: string): Promise<void> {
  process.on('exit', (code) => {
    if (code > 128) console.log('\nInterrupted. Everything is removed.')
  })
  try {
    await demo()
    console.log(`\n${green('All of it worked.')} ${lastWords}`)
  } catch (error) {
    console.error(`\n${paint(31, 'The demo failed')} at "${doing}": ${(error as Error).message}`)
    process.exitCode = 1
  }
}
