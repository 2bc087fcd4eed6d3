// Opens pages of Home Assistant in Chromium, logged in, and takes a picture of each.
// Reads from standard input: {"login": {...}, "pages": [{"url", "file", "width", "height", "scale"}]}.
const { chromium } = require('playwright-core');

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { login, pages } = JSON.parse(Buffer.concat(chunks).toString());
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--lang=en-US'],
  });
  try {
    for (const { url, file, width, height, dark } of pages) {
      const context = await browser.newContext({
        viewport: { width, height }, deviceScaleFactor: 1, locale: 'en-US', timezoneId: 'Europe/Berlin',
        colorScheme: dark ? 'dark' : 'light',
      });
      await context.addInitScript((tokens) => {
        localStorage.setItem('hassTokens', JSON.stringify(tokens));
        localStorage.setItem('dockedSidebar', '"always_hidden"');
      }, { ...login, expires: Date.now() + 1000 * login.expires_in });
      const page = await context.newPage();
      await page.goto(url, { waitUntil: 'domcontentloaded', timeout: 60000 });
      await page.waitForFunction(() => document.querySelector('home-assistant')?.hass?.states, null, { timeout: 60000 });
      // Cards, icons and the logbook come after the page, each by a request of its own.
      await page.waitForTimeout(6000);
      await page.screenshot({ path: file });
      await context.close();
      process.stdout.write(`${file}\n`);
    }
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  process.stderr.write(`${String(error.message).split('\n')[0]}\n`);
  process.exit(1);
});
