/** Drop reasons that are losses: packets that belonged to a flow and are in none. */
const LOST_REASONS = ['ring_full', 'worker_crash', 'capture_crash'] as const;

/** SQL for the packets lost by these reasons, of a column like `ledger.drops`. */
export function lostSql(column: string): string {
  return `(${LOST_REASONS.map((reason) => `coalesce(json_extract(${column}, '$.${reason}'), 0)`).join(' + ')})`;
}

const lostIn = lostSql('drops');
const MINUTE_US = 60_000_000;

/**
 * `completeness_view`: for each session and minute what was lost, by where, and whether the minute is complete. A minute in which
 * nothing was counted has a row only if a gap lies in it.
 */
export const COMPLETENESS_VIEW = `CREATE VIEW completeness_view AS
WITH gap AS (
  SELECT g.session_id, g.start_us, coalesce(g.end_us, s.ended_us, (SELECT max(minute_us) + ${MINUTE_US} FROM ledger WHERE session_id = g.session_id), g.start_us) AS end_us
  FROM gaps g LEFT JOIN sessions s ON s.id = g.session_id
), minute AS (
  SELECT session_id, minute_us FROM ledger
  UNION SELECT session_id, minute_us FROM nic_losses
  UNION SELECT session_id, start_us - start_us % ${MINUTE_US} FROM gap
)
SELECT m.session_id, m.minute_us,
  coalesce(l.frames_received, 0) AS packets_received,
  coalesce((SELECT sum(packets_lost) FROM nic_losses n WHERE n.session_id = m.session_id AND n.minute_us = m.minute_us), 0) AS lost_by_nic,
  coalesce(l.kernel_dropped, 0) AS lost_by_kernel,
  coalesce(json_extract(l.drops, '$.ring_full'), 0) AS lost_by_ring,
  coalesce(${lostIn}, 0) - coalesce(json_extract(l.drops, '$.ring_full'), 0) AS lost_by_crash,
  EXISTS (SELECT 1 FROM gap WHERE gap.session_id = m.session_id
    AND gap.start_us < m.minute_us + ${MINUTE_US} AND gap.end_us > m.minute_us) AS has_gap,
  coalesce(l.kernel_dropped, 0) = 0 AND coalesce(${lostIn}, 0) = 0
    AND NOT EXISTS (SELECT 1 FROM nic_losses n WHERE n.session_id = m.session_id AND n.minute_us = m.minute_us)
    AND NOT EXISTS (SELECT 1 FROM gap WHERE gap.session_id = m.session_id
      AND gap.start_us < m.minute_us + ${MINUTE_US} AND gap.end_us > m.minute_us) AS complete
FROM minute m LEFT JOIN ledger l ON l.session_id = m.session_id AND l.minute_us = m.minute_us`;
