import type { Browser, Page, Response } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { startApp, type TestApp } from '../support/start-app.ts'

describe.skipIf(inject('obstacles').chromium)('GraphiQL in a browser', () => {
  let app: TestApp
  let browser: Browser
  let page: Page
  let askedElsewhere: string[]

  beforeAll(async () => {
    app = await startApp()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await app?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    askedElsewhere = collectForeignRequests(page, app)
    await openGraphiql(page, app)
  })
  afterEach(() => page.close())

  it('has a tab for each thing to try first, and asks no other server for anything', async () => {
    const tabs = ['GenerateImage', 'HistoryUpdates', 'ImageStatus', 'History', 'Models', 'EstimateCost']
    expect(await page.getByRole('tab').allInnerTexts()).toEqual(tabs)
    for (const name of ['History', 'Models', 'EstimateCost']) {
      await openTab(page, name)
      expect((await runTab(page, name)).data).toBeTruthy()
    }
    expect(askedElsewhere).toEqual([])
  })

  it('generates from the first tab as it stands, and watches it to the end from another', async () => {
    const { data } = await runTab(page, 'GenerateImage')
    expect(data.generateImage).toMatchObject({ __typename: 'GenerateImageSuccess', generation: { status: 'QUEUED' } })

    await openTab(page, 'ImageStatus')
    await writeVariables(page, { id: data.generateImage.generation.id })
    await runButton(page).click()
    await resultOf(page).getByText('"COMPLETED"').first().waitFor()
    expect(askedElsewhere).toEqual([])
  })

  it('shows in one page what another one asks for', async () => {
    const other = await browser.newPage()
    await openGraphiql(other, app)
    await openTab(other, 'HistoryUpdates')
    await runButton(other).click()
    await expect.poll(() => app.app.foundations.metrics.render(), { timeout: 10_000 }).toMatch(OPEN_SUBSCRIPTION)

    await runTab(page, 'GenerateImage')
    await resultOf(other).getByText('"COMPLETED"').first().waitFor()
    await other.close()
  })
})

const OPEN_SUBSCRIPTION = /pictor_subscriptions\{transport="\w+"\} 1/

/** Addresses that are asked for outside of the server under test, whatever asks for them. */
function collectForeignRequests(page: Page, app: TestApp): string[] {
  const foreign: string[] = []
  const note = (url: string) => {
    const { protocol, host } = new URL(url)
    if (!['blob:', 'data:'].includes(protocol) && host !== new URL(app.url).host) foreign.push(url)
  }
  page.on('request', (request) => note(request.url()))
  page.on('websocket', (socket) => note(socket.url()))
  return foreign
}

/** Resolves when GraphiQL knows the schema. */
async function openGraphiql(page: Page, app: TestApp): Promise<void> {
  const answered = page.waitForResponse((response) => asksFor(response, 'IntrospectionQuery'))
  await page.goto(app.url)
  await answered
  await editorOf(page).getByText('GenerateImage', { exact: true }).first().waitFor()
}

async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  await editorOf(page).getByText(name, { exact: true }).first().waitFor()
  // GraphiQL reads the name of the operation a moment after it shows the tab, and keeps the tab after that.
  await page.waitForFunction((title) => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '{"tabs":[]}')
    return tabs[activeTabIndex]?.title === title
  }, name)
}

function asksFor(response: Response, operation: string): boolean {
  return response.request().postData()?.includes(` ${operation}`) ?? false
}

function editorOf(page: Page) {
  return page.locator('.graphiql-query-editor')
}

function runButton(page: Page) {
  return page.getByRole('button', { name: /^Execute query/ })
}

function resultOf(page: Page) {
  return page.locator('.result-window')
}

/** Runs the query or mutation of the tab in front; resolves with the answer. */
async function runTab(page: Page, name: string) {
  const answered = page.waitForResponse((response) => asksFor(response, name))
  await runButton(page).click()
  return (await answered).json()
}

async function writeVariables(page: Page, variables: object): Promise<void> {
  await page.locator('.graphiql-editor-tool .monaco-editor').first().click()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.insertText(JSON.stringify(variables))
  // What the editor closed by itself.
  await page.keyboard.press('ControlOrMeta+Shift+End')
  await page.keyboard.press('Delete')
}
