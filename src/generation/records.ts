import type { StoredEvent } from '../events/generation-event.ts'
import type { AttemptRow, EventRow, GenerationRow, ImageRow } from '../store/tables.ts'
import type { Attempt, Generation, Image } from './generation-types.ts'

/** Rows as the domain sees them: JSON columns read, bookkeeping columns left behind. */

export function toGeneration(row: GenerationRow): Generation {
  return {
    id: row.id,
    accountId: row.accountId,
    endUser: row.endUser,
    status: row.status,
    sequence: row.sequence,
    priority: row.priority,
    provider: row.provider,
    model: row.model,
    keySource: row.keySource,
    requestedModel: row.requestedModel,
    prompt: row.prompt,
    negativePrompt: row.negativePrompt,
    count: row.count,
    parameters: JSON.parse(row.parameters),
    problems: parseList(row.problems),
    error: parseOptional(row.error),
    warnings: parseList(row.warnings),
    tags: parseList(row.tags),
    metadata: parseOptional(row.metadata),
    estimateMinMicros: row.estimateMinMicros,
    estimateMaxMicros: row.estimateMaxMicros,
    heldMicros: row.heldMicros,
    chargedMicros: row.chargedMicros,
    providerReportedMicros: row.providerReportedMicros,
    tokens: parseOptional(row.tokens),
    parentId: row.parentId,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    deadlineAt: row.deadlineAt,
  }
}

export function toImage(row: ImageRow): Image {
  return row
}

export function toAttempt(row: AttemptRow): Attempt {
  const { reference, problem, ...rest } = row
  const parsed: { jobId?: unknown } | null = parseOptional(reference)
  return {
    ...rest,
    problem: parseOptional(problem),
    providerJobId: typeof parsed?.jobId === 'string' ? parsed.jobId : null,
  }
}

export function toStoredEvent(row: EventRow): StoredEvent {
  return { ...row, problem: parseOptional(row.problem) }
}

/** `null` stays null: a column that holds nothing and JSON's own null mean the same here. */
export function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

// biome-ignore lint/suspicious/noExplicitAny: what we wrote ourselves; the type is the caller's to name.
function parseOptional(text: string | null): any {
  return text === null ? null : JSON.parse(text)
}

function parseList<T>(text: string): readonly T[] {
  return text === '[]' ? [] : JSON.parse(text)
}
