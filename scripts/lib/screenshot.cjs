// Opens pages of Home Assistant in Chromium, logged in, and takes a picture of each.
// Reads from standard input: {"login": {...}, "pages": [{"url", "file", "width", "height", "dark", "language", "clicks"}]}.
// `clicks` are the names of what is clicked before the picture is taken, one after the other.
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
  let wait = 15000; // The first page brings everything that the others find in the cache of the server.
  try {
    for (const { url, file, width, height, dark, language, clicks } of pages) {
      const context = await browser.newContext({
        viewport: { width, height }, deviceScaleFactor: 1, locale: language || 'en-US', timezoneId: 'Europe/Berlin',
        colorScheme: dark ? 'dark' : 'light',
      });
      await context.addInitScript(({ tokens, language }) => {
        localStorage.setItem('hassTokens', JSON.stringify(tokens));
        localStorage.setItem('dockedSidebar', '"always_hidden"');
        if (language) localStorage.setItem('selectedLanguage', JSON.stringify(language));
      }, { tokens: { ...login, expires: Date.now() + 1000 * login.expires_in }, language });
      const page = await context.newPage();
      await page.goto(url, { waitUntil: 'domcontentloaded', timeout: 120000 });
      await page.waitForFunction(() => document.querySelector('home-assistant')?.hass?.states, null, { timeout: 120000 });
      // Cards, icons and the activity come after the page, each by a request of its own.
      await page.waitForTimeout(wait);
      wait = 8000;
      for (const name of clicks || []) {
        const button = page.getByRole('button', { name, exact: true });
        const target = (await button.count()) ? button.first() : page.getByText(name, { exact: true }).first();
        await target.click({ timeout: 60000 });
        await page.waitForTimeout(4000);
      }
      await page.screenshot({ path: file, timeout: 120000 });
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
