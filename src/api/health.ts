import { HEALTH_LIMITS, type HealthReason, type HealthStatus, reason } from './health-reasons.js';
import { type HealthHistory, type HistorySample, sampleOf } from './history.js';
import { judgeHost } from './host-health.js';
import { isPossible, type LinkSnapshot, type RingSnapshot, type Snapshot, type ThreadSnapshot } from './snapshot.js';

/** What health must know besides the counters. */
export interface HealthContext {
  readonly isLive: boolean;
  /** How long the writer may sit in one call of the database without a sign of life. */
  readonly busyTimeoutMs: number;
  readonly history: HealthHistory;
}

export interface Health {
  readonly status: HealthStatus;
  /** What is wrong, failures first. */
  readonly reasons: readonly HealthReason[];
  readonly isBalanced: boolean;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Judges a snapshot. Reads nothing else, so the same arguments give the same answer. */
export function judge(snapshot: Snapshot, context: HealthContext): Health {
  const isBalanced = balanced(snapshot, context.history);
  const reasons = [
    ...snapshot.threads.flatMap((thread) => judgeThread(thread, snapshot, context)),
    ...judgeStop(snapshot),
    ...judgeRestarts(snapshot, context.history),
    ...judgeLinks(snapshot),
    ...judgeLosses(snapshot, context.history),
    ...(context.isLive ? judgeRings(snapshot, context.history) : []),
    ...judgeWriter(snapshot, context.history),
    ...judgeHost(snapshot.host),
    ...(isBalanced ? [] : [judgeLedger(snapshot)]),
  ];
  reasons.sort((a, b) => Number(b.severity === 'failed') - Number(a.severity === 'failed'));
  return { status: reasons[0]?.severity ?? 'ok', reasons, isBalanced };
}

/** Says why the pipeline does not take and store packets, or null when capture, parse workers and writer all run. */
export function unreadiness(snapshot: Snapshot): string | null {
  const missing = snapshot.threads.filter((thread) => thread.name !== 'api' && thread.state !== 'running');
  return missing.length === 0 ? null : missing.map((thread) => `${thread.name} is ${thread.state}`).join(', ');
}

/**
 * True if every received packet is accounted for. While packets move, that is: nowhere are more than went in. Once nothing has
 * come in for a second, the rings are empty and the capture has published what it had, none may be under way either.
 */
function balanced(snapshot: Snapshot, history: HealthHistory): boolean {
  if (!isPossible(snapshot)) return false;
  const now = sampleOf(snapshot);
  const before = history.before(now.atMs, HEALTH_LIMITS.settledMs);
  if (before === null || before.framesReceived !== now.framesReceived) return true;
  if (!before.areFrameRingsEmpty || !now.areFrameRingsEmpty || !hasPublished(snapshot, before.atMs)) return true;
  return snapshot.ledger.inRings + snapshot.ledger.inHand === 0;
}

/** True if the capture has published what it received until `sinceMs`: it does so between two heartbeats, and at its end. */
function hasPublished(snapshot: Snapshot, sinceMs: number): boolean {
  return snapshot.threads.some(({ name, state, heartbeatAgeMs }) => {
    return name === 'capture' && (state === 'ended' || (heartbeatAgeMs !== null && snapshot.atMs - heartbeatAgeMs > sinceMs));
  });
}

function judgeLedger({ ledger }: Snapshot): HealthReason {
  return reason(
    'ledger_unbalanced',
    `${ledger.received} received, ${ledger.inFlows} in flows and ${ledger.dropped} dropped leave ${ledger.inRings} in rings and ${ledger.inHand} in hand`,
  );
}

function judgeThread(thread: ThreadSnapshot, snapshot: Snapshot, context: HealthContext): HealthReason[] {
  // This code runs in the API thread, so that one is alive.
  if (thread.name === 'api') return [];
  if (thread.state === 'ended') return judgeEnd(thread, context);

  const { heartbeatAgeMsMax, startupMsMax } = HEALTH_LIMITS;
  const ageMs = thread.heartbeatAgeMs;
  const uptimeMs = snapshot.atMs - context.history.sessionStartMs;
  if (thread.state === 'starting' && (uptimeMs <= startupMsMax || (ageMs !== null && ageMs <= heartbeatAgeMsMax)))
    return [reason('starting', `${thread.name} is starting`)];
  if (ageMs === null)
    return [reason('thread_stalled', `${thread.name} gave no sign of life since flowberry started ${seconds(uptimeMs)} ago`)];
  if (ageMs <= heartbeatAgeMsMax) return [];
  const message = `${thread.name} gave no sign of life for ${seconds(ageMs)}`;
  const mayWaitForDatabase = thread.name === 'writer' && ageMs <= heartbeatAgeMsMax + context.busyTimeoutMs;
  return [reason(mayWaitForDatabase ? 'writer_busy' : 'thread_stalled', message)];
}

function judgeEnd(thread: ThreadSnapshot, context: HealthContext): HealthReason[] {
  if (thread.isDraining) return [];
  if (thread.name !== 'capture') return [reason('thread_ended', `${thread.name} ended although nobody asked it to`)];
  return context.isLive ? [reason('capture_ended', 'the capture ended although nobody asked it to')] : [];
}

function judgeStop(snapshot: Snapshot): HealthReason[] {
  const draining = snapshot.threads.filter((thread) => thread.isDraining && thread.state !== 'ended');
  if (draining.length === 0) return [];
  return [reason('stopping', `waiting for ${draining.map((thread) => thread.name).join(', ')}`)];
}

function judgeRestarts(snapshot: Snapshot, history: HealthHistory): HealthReason[] {
  const now = sampleOf(snapshot);
  return snapshot.threads.flatMap((thread, index) => {
    const count = history.growth(now, HEALTH_LIMITS.restartWindowMs, (sample) => sample.restarts[index] ?? 0);
    // An API thread that replaced another has a history that begins behind its own restart.
    const isOwnRestart =
      thread.name === 'api' && thread.restarts > 0 && history.lengthMs(now.atMs) <= HEALTH_LIMITS.restartWindowMs;
    if (count <= 0 && !isOwnRestart) return [];
    return [
      reason(
        'thread_restarted',
        `${thread.name} was replaced ${times(Math.max(count, 1))} within the last 5 minutes (${thread.restarts} in all)`,
      ),
    ];
  });
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const STATE_TEXTS: Readonly<Record<LinkSnapshot['state'], string>> = {
  up: 'is not captured from',
  missing: 'is not there',
  down: 'is down',
  no_carrier: 'has no link',
  failed: 'cannot be opened',
};

function judgeLinks({ links }: Snapshot): HealthReason[] {
  return links.flatMap(({ name, state, gapStartUs }) => {
    if (gapStartUs === null) return [];
    const since = new Date(gapStartUs / 1000).toISOString();
    return [reason('interface_down', `${name} ${STATE_TEXTS[state]}, nothing is captured from it since ${since}`)];
  });
}

function judgeLosses(snapshot: Snapshot, history: HealthHistory): HealthReason[] {
  const now = sampleOf(snapshot);
  const within = (counter: (sample: HistorySample) => number): number => history.growth(now, HEALTH_LIMITS.lossWindowMs, counter);
  const reasons: HealthReason[] = [];
  const cards = within((sample) => sample.lostByCards);
  if (cards > 0)
    reasons.push(
      reason('card_drops', `the network card lost ${cards} packets within the last minute (${now.lostByCards} in all)`),
    );
  const kernel = within((sample) => sample.kernelDropped);
  if (kernel > 0)
    reasons.push(
      reason('kernel_drops', `the kernel dropped ${kernel} packets within the last minute (${now.kernelDropped} in all)`),
    );
  const ring = within((sample) => sample.ringFull);
  if (ring > 0)
    reasons.push(reason('ring_full', `full rings dropped ${ring} packets within the last minute (${now.ringFull} in all)`));
  const addresses = within((sample) => sample.addressesOverflowed);
  if (addresses > 0)
    reasons.push(
      reason(
        'addresses_overflowed',
        `${addresses} IPv6 addresses found no room within the last minute (${now.addressesOverflowed} in all)`,
      ),
    );
  const lost = within((sample) => sample.flowsLost);
  if (lost > 0) reasons.push(reason('rows_lost', `${lost} flows were lost within the last minute (${now.flowsLost} in all)`));
  const { failures } = snapshot.writer.backups;
  if (failures > 0) reasons.push(reason('backup_failed', `the daily backup failed ${times(failures)}; the log says why`));
  const unsaved = snapshot.writer.saves.failures;
  if (unsaved > 0)
    reasons.push(
      reason('save_failed', `saving the database failed ${times(unsaved)}; its rows lie in memory, and the log says why`),
    );
  return reasons;
}

function judgeRings(snapshot: Snapshot, history: HealthHistory): HealthReason[] {
  const reasons = snapshot.workers.flatMap((worker, index) => [
    ...judgeRing(worker.frameRing, `the ring from the capture to parse-${index}`),
    ...judgeRing(worker.flowRing, `the ring from parse-${index} to the writer`),
  ]);
  const count = history.growth(sampleOf(snapshot), HEALTH_LIMITS.recentWindowMs, (sample) => sample.writerRingFull);
  if (count > 0)
    reasons.push(reason('parse_blocked', `parse workers waited ${times(count)} for the writer within the last 10 s`));
  return reasons;
}

function judgeRing(ring: RingSnapshot, what: string): HealthReason[] {
  const ratio = ring.usedBytes / ring.capacityBytes;
  return ratio > HEALTH_LIMITS.ringUsedRatioMax ? [reason('ring_filling', `${what} is ${Math.floor(ratio * 100)} % full`)] : [];
}

function judgeWriter(snapshot: Snapshot, history: HealthHistory): HealthReason[] {
  const { writer } = snapshot;
  const reasons: HealthReason[] = [];
  const retries = history.growth(sampleOf(snapshot), HEALTH_LIMITS.recentWindowMs, (sample) => sample.busyRetries);
  if (retries > 0)
    reasons.push(
      reason(
        'writer_busy',
        `another process held the database ${times(retries)} within the last 10 s (${writer.busyRetries} in all)`,
      ),
    );
  const now = sampleOf(snapshot);
  const shed = history.growth(now, HEALTH_LIMITS.lossWindowMs, (sample) => sample.flowsShed);
  if (shed > 0)
    reasons.push(
      reason('rows_shed', `${shed} flows were left out within the last minute (${now.flowsShed} in all): too much is written`),
    );
  if (writer.isWriteFailing) {
    const failingMs = history.writeFailingMs(snapshot.atMs);
    const isStuck = failingMs >= HEALTH_LIMITS.writeFailingMsMax;
    const why = writer.writeFault === '' ? '' : `: ${writer.writeFault}`;
    const message = `no row could be written for ${seconds(failingMs)}${why} (failures in all: ${writer.writeErrors})`;
    reasons.push(reason(isStuck ? 'writer_stuck' : 'writer_failing', message));
  }
  return reasons;
}
