// Starts the machine's own browsers for the tests, through puppeteer-core: Chromium over its DevTools protocol,
// Firefox over WebDriver BiDi. `cargo xtask test` finds the programs and names them in the environment.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

/** What the environment says; `optional` is null where the machine lacks something and the test is to be skipped. */
export function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run these tests with \`cargo xtask test --only e2e\``);
  return value;
}

export function optional(name) {
  return process.env[name] ?? null;
}

/** Switches that keep a test browser quiet and alone: no first-run pages, no updates, no calls home. */
const QUIET = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  // Test machines run as root inside containers, where Chromium's own sandbox cannot be set up.
  '--no-sandbox',
];

/** WebGPU on Chromium's own software adapter. */
export const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/**
 * The same with a graphics context on the same software driver: only then does Chromium import or copy decoders'
 * frames. Without it the page draws them on a canvas first.
 */
export const SOFTWARE_WEBGPU_AND_GRAPHICS = [
  ...SOFTWARE_WEBGPU,
  '--use-angle=vulkan',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** A camera that plays a motion JPEG or YUV4MPEG2 file in a loop, and permission to use it without a question. */
export function fakeCamera(file) {
  return [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${file}`,
  ];
}

/**
 * Runs `use` with a fresh Chromium and closes it afterwards, whatever happens.
 * @param {{args?: string[]}} options more switches
 * @param {(browser: import('puppeteer-core').Browser) => Promise<void>} use
 */
export async function withChromium({ args = [] }, use) {
  await withBrowser((userDataDir) => chromium(userDataDir, args), use);
}

/**
 * Starts Chromium with a profile of the caller's, who closes it and may use the profile again.
 * @param {{userDataDir: string, args?: string[]}} options
 */
export function launchChromium({ userDataDir, args = [] }) {
  return launch(chromium(userDataDir, args));
}

function chromium(userDataDir, args) {
  return {
    browser: 'chrome',
    executablePath: required('PLUMBLINE_CHROMIUM'),
    headless: true,
    userDataDir,
    args: [...QUIET, ...args],
  };
}

/**
 * Runs `use` with a fresh Firefox whose WebGPU runs on Mesa's software Vulkan driver.
 * @param {{program: string, driver: string}} machine the program, and the driver's description file
 * @param {(browser: import('puppeteer-core').Browser) => Promise<void>} use
 */
export async function withFirefox({ program, driver }, use) {
  await withBrowser(
    (userDataDir) => ({
      browser: 'firefox',
      executablePath: program,
      headless: true,
      userDataDir,
      env: { ...process.env, VK_DRIVER_FILES: driver },
      extraPrefsFirefox: {
        'dom.webgpu.enabled': true,
        'dom.webgpu.workers.enabled': true,
        // Firefox blocks software adapters otherwise.
        'gfx.webgpu.ignore-blocklist': true,
      },
    }),
    use,
  );
}

function launch(options) {
  const defaultViewport = { width: 1280, height: 800 };
  return puppeteer.launch({ protocolTimeout: 300_000, defaultViewport, ...options });
}

async function withBrowser(options, use) {
  const profile = await mkdtemp(path.join(tmpdir(), 'plumbline-browser-'));
  let browser;
  try {
    browser = await launch(options(profile));
    await use(browser);
  } finally {
    await browser?.close();
    // The browser may still write to its profile for a moment.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
