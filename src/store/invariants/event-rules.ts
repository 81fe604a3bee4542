import { sql } from 'kysely'
import { alive, ended, generations, type InvariantRule, rows, TERMINAL } from './invariant-rule.ts'

export const EVENT_RULES: readonly InvariantRule[] = [
  generations(
    'events count from 1 without a gap up to the sequence of their generation',
    sql`${alive} and (${rows('events')} <> g."sequence" or
      (select min(v."sequence") from "events" v where v."generationId" = g."id") <> 1 or
      (select max(v."sequence") from "events" v where v."generationId" = g."id") <> g."sequence")`,
  ),
  generations(
    'the last event tells the status',
    sql`${alive} and g."status" <> (
      select v."status" from "events" v where v."generationId" = g."id" and v."sequence" = g."sequence")`,
  ),
  generations(
    'an ended generation has one terminal event, and any other none',
    sql`${alive} and ${rows('events', sql`r."kind" in ${TERMINAL}`)} <> case when ${ended} then 1 else 0 end`,
  ),
  generations(
    'each image is told of once',
    sql`${alive} and ${rows('events', sql`r."kind" = 'IMAGE_READY'`)} <> g."imageCount"`,
  ),
  {
    rule: 'an event begins where the one before it ended',
    breaches: sql`select v."generationId" as "id" from "events" v
      left join "events" b on b."generationId" = v."generationId" and b."sequence" = v."sequence" - 1
      where coalesce(v."previousStatus", '') <> coalesce(b."status", '')`,
  },
  {
    rule: 'an event that tells of an image names one that is there',
    breaches: sql`select v."generationId" as "id" from "events" v where v."kind" = 'IMAGE_READY' and not exists (
      select 1 from "images" i where i."id" = v."imageId" and i."generationId" = v."generationId")`,
  },
]
