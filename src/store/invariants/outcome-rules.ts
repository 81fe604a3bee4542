import { sql } from 'kysely'
import { alive, ended, generations, type InvariantRule, rows } from './invariant-rule.ts'

export const OUTCOME_RULES: readonly InvariantRule[] = [
  generations('the images that are counted are there', sql`${alive} and g."imageCount" <> ${rows('images')}`),
  generations('there are no more images than were asked for', sql`g."imageCount" > g."count"`),
  generations('what is completed has an image', sql`g."status" = 'COMPLETED' and g."imageCount" = 0`),
  generations('what failed or was canceled has none', sql`g."status" in ('FAILED', 'CANCELED') and g."imageCount" > 0`),
  generations('what waits has no image', sql`g."status" = 'QUEUED' and g."imageCount" > 0`),
  generations('what ended has an end', sql`(g."finishedAt" is not null) <> (${ended})`),
  generations('what failed says why', sql`${alive} and (g."error" is not null) <> (g."status" = 'FAILED')`),
  generations(
    'what is missing is explained',
    sql`${alive} and ${ended} and g."imageCount" < g."count" and g."problems" = '[]'`,
  ),
  generations(
    'what is deleted keeps nothing that the client wrote or got',
    sql`g."deletedAt" is not null and (g."prompt" <> '' or g."metadata" is not null or not ${ended} or
      ${rows('images')} + ${rows('events')} + ${rows('generationTags')} > 0)`,
  ),
]
