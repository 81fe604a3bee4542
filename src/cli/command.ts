import { Command, InvalidArgumentError } from '@commander-js/extra-typings'
import type { CommandContext } from './context.ts'

/** How every command begins: `--json`, help that ends with an example, and no exit of its own. */
export function createCommand(
  context: CommandContext,
  command: { name: string; summary: string; examples: readonly string[] },
) {
  const { output } = context
  const examples = command.examples.map((example) => `  $ npm run pictor -- ${example}`)
  const title = command.examples.length > 1 ? 'Examples' : 'Example'
  return new Command(command.name)
    .description(command.summary)
    .option('--json', 'print one JSON document and nothing else on standard output')
    .addHelpText('after', ['', `${title}:`, ...examples].join('\n'))
    .helpOption('-h, --help', 'show this help')
    .showSuggestionAfterError()
    .showHelpAfterError('Say --help to see what there is.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.line(text.trimEnd()),
      writeErr: (text) => output.note(text.trimEnd()),
    })
}

/** A group of commands, such as `keys`. */
export function createCommandGroup(context: CommandContext, group: { name: string; summary: string }) {
  const { output } = context
  return new Command(group.name)
    .description(group.summary)
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.line(text.trimEnd()),
      writeErr: (text) => output.note(text.trimEnd()),
    })
}

/** The same, for commands that talk to a server. `orElse`: to which one where none runs here. */
export function createApiCommand(
  context: CommandContext,
  command: { name: string; summary: string; examples: readonly string[]; orElse?: string },
) {
  const { orElse = ', or one for the occasion' } = command
  return createCommand(context, command)
    .option('--url <address>', `server to talk to (PICTOR_URL); without it the one that runs here${orElse}`)
    .option('--key <secret>', 'API key, where the server wants one (PICTOR_KEY)')
}

export function parseWholeNumber(text: string): number {
  const number = Number(text)
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new InvalidArgumentError('It must be a whole number.')
}

export function parseNumber(text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw new InvalidArgumentError('It must be a number.')
}

/** Stays text: money is never a float. */
export function parseAmount(text: string): string {
  if (/^\d{1,15}(\.\d{1,6})?$/.test(text)) return text
  throw new InvalidArgumentError('It must be a plain decimal with at most six places, such as 2.50.')
}

export function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (value instanceof Object && !Array.isArray(value)) return { ...value }
  } catch {
    // The same answer for what is no JSON as for what is no object.
  }
  throw new InvalidArgumentError(`It must be a JSON object, such as '{"steps": 5}'.`)
}

/** For options that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}
