import { initial } from './0001-initial.ts'
import { referenceImages } from './0002-reference-images.ts'
import { providerKeys } from './0003-provider-keys.ts'
import { retention } from './0004-retention.ts'
import { webhooks } from './0005-webhooks.ts'
import type { Migration } from './migration.ts'

/** Every step, oldest first. New ones go to the end; what was released stays as it is. */
export const MIGRATIONS: readonly Migration[] = [initial, referenceImages, providerKeys, retention, webhooks]
