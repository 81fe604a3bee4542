import type { Clock } from '../clock.ts'
import type { AcceptedGeneration } from './generation.ts'
import type { GenerationEvent } from './generation-watch.ts'
import type { Output, Style } from './output.ts'
import { formatBytes, formatDuration, formatMoney, showable } from './wording.ts'

/** Shows a generation while it runs: a line for each transition, and on a terminal a bar below them. */
export type ProgressDisplay = {
  begin(generation: AcceptedGeneration): void
  show(event: GenerationEvent): void
  note(text: string): void
  end(): void
}

const FRAME_MS = 100
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const BAR_WIDTH = 30
/** Where no bar can be drawn, a line for each of these. */
const PLAIN_STEP = 0.25
const STYLES: Partial<Readonly<Record<GenerationEvent['kind'], Style>>> = {
  COMPLETED: 'green',
  IMAGE_READY: 'cyan',
  RETRYING: 'yellow',
  CANCELED: 'yellow',
  FAILED: 'red',
}

export function createProgressDisplay(deps: {
  readonly output: Output
  readonly clock: Clock
  /** For JSON on standard output, where only somebody who looks on needs to see anything. */
  readonly quiet: boolean
}): ProgressDisplay {
  const { output, clock } = deps
  const isShown = !deps.quiet || output.isLive
  const over = new AbortController()
  const startedAt = clock.now()
  let firstAt: number | undefined
  let progress: number | null = null
  let plainStep = 0

  async function animate(): Promise<void> {
    for (let frame = 0; !over.signal.aborted; frame += 1) {
      output.status(formatBar(progress, clock.now() - startedAt, SPINNER[frame % SPINNER.length] ?? ''))
      await clock.sleep(FRAME_MS, over.signal)
    }
  }

  function showProgress(event: GenerationEvent): void {
    progress = event.progress
    const step = Math.floor((progress ?? 0) / PLAIN_STEP)
    if (output.isLive || step <= plainStep) return
    plainStep = step
    writeLine(event, `${Math.round((progress ?? 0) * 100)} %`)
  }

  function writeLine(event: GenerationEvent, detail: string): void {
    const at = Date.parse(event.at)
    firstAt ??= at
    const style = STYLES[event.kind]
    const kind = event.kind.padEnd(11)
    const time = output.noteStyle('dim', formatDuration(at - firstAt).padStart(9))
    output.note(`${time}  ${style ? output.noteStyle(style, kind) : kind}  ${detail}`.trimEnd())
  }

  return {
    begin(generation) {
      if (!isShown) return
      const { model, cost, queue } = generation
      const held = cost.estimated === null ? 'price unknown' : describeHold(cost)
      const place = queue && queue.position > 1 ? `, number ${queue.position} in the queue` : ''
      output.note(`${output.noteStyle('bold', model.id)}  ${held}${place}`)
      for (const warning of generation.warnings)
        output.note(`${output.noteStyle('yellow', 'note')}: ${warning.message}`)
      if (output.isLive) void animate()
    },
    show(event) {
      if (!isShown) return
      if (event.kind === 'PROGRESS') return showProgress(event)
      if (event.kind === 'STARTED' || event.kind === 'RETRYING') {
        progress = null
        plainStep = 0
      }
      writeLine(event, describe(event))
    },
    note: output.note,
    end() {
      over.abort()
      output.status('')
    },
  }
}

function describeHold({ held, ownKey }: AcceptedGeneration['cost']): string {
  if (ownKey) return 'paid by a key of your own'
  return Number(held.amount) === 0 ? 'free of charge' : `at most ${formatMoney(held)}`
}

function describe({ image, preview, problem, message, generation }: GenerationEvent): string {
  if (image) return `${image.width}×${image.height}, ${formatBytes(image.sizeBytes)}`
  if (preview) return preview.url
  if (problem) return showable(problem.message)
  return showable(message ?? '') || (generation.status === 'QUEUED' ? generation.id : '')
}

/** null: nobody knows how far it is, which is not the same as not having begun. */
export function formatBar(progress: number | null, elapsedMs: number, spinner: string): string {
  const time = formatDuration(elapsedMs)
  if (progress === null) return `${spinner} ${time}`
  const filled = Math.round(Math.min(1, Math.max(0, progress)) * BAR_WIDTH)
  const percent = `${Math.floor(progress * 100)}`.padStart(3)
  return `${spinner} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent} %  ${time}`
}
