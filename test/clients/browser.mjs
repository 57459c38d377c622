// Opens GraphiQL in a real browser, types a query, runs it and reads the result.
import { chromium } from 'playwright-core';

const url = process.argv[2];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage();
  const elsewhere = [];
  page.on('request', (r) => { if (!r.url().startsWith(new URL(url).origin) && !r.url().startsWith('data:')) elsewhere.push(r.url()); });
  const broken = [];
  page.on('pageerror', (e) => broken.push(String(e)));
  await page.goto(url);
  const editor = page.locator('.graphiql-query-editor .CodeMirror');
  await editor.waitFor();
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('query { products(limit: 1) { name ');
  await page.keyboard.press('Control+Enter');
  await page.locator('.result-window', { hasText: '"products"' }).waitFor({ timeout: 30000 });
  const text = await page.locator('.result-window').innerText();
  if (!text.includes('"name"')) throw new Error('the result has no name: ' + text);
  if (elsewhere.length) throw new Error('the page asked elsewhere: ' + elsewhere);
  if (broken.length) throw new Error('the page has errors: ' + broken);
  if (process.argv[3]) await page.screenshot({ path: process.argv[3] });
  console.log('browser: GraphiQL ran a query');
} finally {
  await browser.close();
}
