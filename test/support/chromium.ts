import { type Browser, chromium } from 'playwright-core'
import { CHROMIUM_PATH } from './services.ts'

/** Quiet on the network by itself: what it asks for is asked for by the pages. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The machine's own Chromium. Its caller closes it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM_PATH, args: ARGUMENTS })
}
