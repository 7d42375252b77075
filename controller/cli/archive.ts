import { Tally } from '../archive/tally.ts';
import { runArchive } from '../compose.ts';
import { ARCHIVE_SETTINGS, type ArchiveConfig, type OutputFormat, parseOutputFormat, usage } from '../config.ts';
import { readArchiveConfig } from '../config-file.ts';
import type { Outcome } from '../core/outcome.ts';
import { Vitals } from '../core/vitals.ts';
import { EXIT } from '../errors.ts';
import { systemClock } from '../system-clock.ts';
import { openLog } from '../telemetry/log.ts';
import { openTelemetry } from '../telemetry/telemetry.ts';
import { readVersion } from '../telemetry/version.ts';
import { Merges } from './merges.ts';
import { stopSignal } from './output.ts';
import { printReport, type Report } from './report.ts';
import { enforceDeadline } from './stop-deadline.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper archive`: runs on, watching; with `--once` it lists, commits, reports and ends. */

const LISTING_EVERY_MS = 10_000;

export const archiveCommand: Verb = {
  name: 'archive',
  summary: 'Archive the cluster into one Git repository per namespace, and go on watching',
  arguments: [],
  settings: ARCHIVE_SETTINGS,
  switches: [
    ['--once', 'list, commit, print what was found, end'],
    ['-o, --output <format>', 'with --once: text or json (text)'],
  ],
  examples: [
    'kubekeeper archive --once',
    'kubekeeper archive --namespaces "shop-*" --data-dir /var/lib/kubekeeper',
    'kubekeeper archive --secrets encrypt --age-recipient age1...',
    'kubekeeper archive --config shop.yaml',
    'git -C kubekeeper-data/shop-web.git log --stat',
  ],
  async run(_args, raw) {
    const config = await readArchiveConfig(raw);
    const format = parseOutputFormat(raw);
    if (raw['once'] !== true) return archiveOn(config);
    refuseLasting(config);
    return archiveOnce(config, format);
  },
};

/** What begins only after the first lists would never be done. */
function refuseLasting({ merged }: ArchiveConfig): void {
  if (merged !== undefined)
    throw usage('--apply-merged is for an archiver that runs on, not for --once; use kubekeeper apply-merged');
}

/** Runs until a signal; each outcome is a log line, and a metric where an address is given. */
async function archiveOn(config: ArchiveConfig): Promise<number> {
  const log = openLog(config.logLevel);
  const stop = stopSignal();
  const tally = new Tally();
  const vitals = new Vitals(systemClock.monotonic);
  using _deadline = enforceDeadline(stop.signal, { log, works: vitals.works });
  // The first lists of a large cluster take minutes, and silence would look like standing still.
  let isStandby = false;
  const tellListing = () => {
    if (!isStandby) log.write('info', 'listing', { objects: countObjects(tally) });
  };
  const listing = setInterval(tellListing, LISTING_EVERY_MS);
  try {
    // First of all: an address that is taken must be known before anything is done.
    await using telemetry = await openTelemetry(log, {
      listen: config.listen,
      stop: stop.signal,
      clock: systemClock,
      dataDirectory: config.dataDirectory,
      version: readVersion(),
      isElected: config.election !== undefined,
      tally,
      vitals,
    });
    const { retry: onRetry, sign: onSign } = telemetry;
    const defect = new AbortController();
    const signal = AbortSignal.any([stop.signal, defect.signal]);
    await using merges = new Merges(config, {
      signal,
      tell: telemetry.observe,
      retry: onRetry,
      fail: (error) => defect.abort(error),
    });
    for await (const outcome of runArchive(config, {
      once: false,
      signal,
      tally,
      vitals,
      onRetry,
      onSign,
    })) {
      if (outcome.type === 'synced') clearInterval(listing);
      if (outcome.type === 'standby' || outcome.type === 'leading') isStandby = outcome.type === 'standby';
      telemetry.observe(outcome);
      if (outcome.type === 'synced') merges.begin();
      if (outcome.type === 'standby') await merges.end();
    }
    defect.signal.throwIfAborted();
    return EXIT.done;
  } catch (error) {
    // Asked to stop before it had begun: an end like any other.
    if (stop.signal.aborted && error === stop.signal.reason) return EXIT.done;
    throw error;
  } finally {
    clearInterval(listing);
    stop.dispose();
  }
}

function countObjects(tally: Tally): number {
  return tally.all().reduce((sum, one) => sum + one.objects, 0);
}

async function archiveOnce(config: ArchiveConfig, format: OutputFormat): Promise<number> {
  const stop = stopSignal();
  const tally = new Tally();
  const outcomes: Outcome[] = [];
  const progress = openProgress();
  try {
    for await (const outcome of runArchive(config, { once: true, signal: stop.signal, tally })) {
      progress.tell(outcome, tally);
      if (outcome.type !== 'listed') outcomes.push(outcome);
    }
  } finally {
    progress.end();
    stop.dispose();
  }
  if (stop.signal.aborted) return EXIT.interrupted;
  const report: Report = { dataDirectory: config.dataDirectory, tallies: tally.all(), outcomes };
  return printReport(report, format);
}

/** One line that is written over on a terminal; off a terminal a line every ten seconds. */
function openProgress(): { tell(outcome: Outcome, tally: Tally): void; end(): void } {
  const isTerminal = process.stderr.isTTY === true;
  const started = Date.now();
  let last = Date.now();
  let [listed, total] = [0, 0];
  return {
    tell(outcome, tally) {
      if (outcome.type === 'catalogue') total = outcome.resources;
      if (outcome.type === 'listed' || outcome.type === 'skipped') listed++;
      if (Date.now() - last < (isTerminal ? 200 : LISTING_EVERY_MS)) return;
      last = Date.now();
      const line = `listing: ${listed} of ${total} resources, ${countObjects(tally)} objects, ${Math.round((last - started) / 1000)} s`;
      process.stderr.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
    },
    end() {
      if (isTerminal) process.stderr.write('\r\u001b[K');
    },
  };
}
